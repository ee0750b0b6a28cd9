// Private watch lists, areas and sky maps are names for their owners only: for others they do not exist, whatever text asks
// for them. Called by context.ts.
import { TocsinError } from "../../domain/errors.js";
import type { Viewer } from "../../domain/viewer.js";
import type { Services } from "../services.js";

type Spoken = Pick<Services, "language" | "design">;

/** As they are: in JSON the letter of a line's end would stand before a name. */
const textsIn = (value: unknown): string[] =>
  typeof value === "string" ? [value] : value instanceof Object ? Object.values(value).flatMap(textsIn) : [];

/** The language and the design of filters without what the viewer may not see. */
export function withoutHidden(services: Services, viewer: Viewer): Services {
  const hidden = services.marks?.desk.hidden(viewer);
  if (hidden === undefined || hidden.size === 0) return services;
  const { language, design } = services;
  const ofHidden = (name: string): boolean => hidden.has(name.split(".").slice(0, 2).join("."));
  const refused = (args: readonly unknown[]): string | null => {
    // The name in a text in quotes is refused as well: that is no loss.
    const names = textsIn(args).flatMap((text) => text.match(/\b(?:watch|area|skymap)\.\w+/g) ?? []);
    return names.find(ofHidden) ?? null;
  };
  const guarded = <T extends object>(spoken: T): T =>
    new Proxy(spoken, {
      get(target, member) {
        const found: unknown = Reflect.get(target, member);
        if (typeof found !== "function") return found;
        return (...args: unknown[]): unknown => {
          const name = refused(args);
          if (name !== null) throw new TocsinError("BAD_EXPRESSION", `There is no name ${name}.`);
          return found.apply(target, args);
        };
      },
    });
  const spoken: Spoken = {
    language: {
      ...guarded(language),
      fields: (survey) => language.fields(survey).filter(({ name }) => !ofHidden(name)),
      validate: (survey, where, annotations) => guarded(language).validate(survey, where, annotations, ofHidden),
      check(survey, where) {
        const name = refused([where]);
        if (name === null) return language.check(survey, where, ofHidden);
        const error = { message: `there is no name ${name}`, line: 1, column: 1 };
        return { ok: false, errors: [error], warnings: [], fieldsRead: [] };
      },
    },
    design: Object.assign(Object.create(guarded(design)) as typeof design, {
      standing: (...[survey, where]: Parameters<typeof design.standing>) =>
        refused([where]) === null ? design.standing(survey, where) : [],
    }),
  };
  return { ...services, ...spoken };
}
