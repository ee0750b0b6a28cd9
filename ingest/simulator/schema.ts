// Field lists of simulated packets as text: "jd double, fid int, rb [float]", where a type in brackets may be null.
// Used by the surveys' simulated schemas.

export interface AvroField {
  readonly name: string;
  readonly type: string | readonly string[];
}

export function fieldList(text: string): AvroField[] {
  return text.split(",").map((part) => {
    const [name, type] = part.trim().split(/\s+/) as [string, string];
    return { name, type: type.startsWith("[") ? ["null", type.slice(1, -1)] : type };
  });
}

export const recordType = (name: string, text: string) => ({ type: "record", name, fields: fieldList(text) });
