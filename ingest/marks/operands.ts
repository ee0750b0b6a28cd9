// watch.<list>, area.<name> and skymap.<name>, as filters read them. Told to filters/ by cli/.
import { type Mark, markOperand } from "../../domain/mark.js";
import type { Operand, OperandList, OperandSource } from "../../domain/operand.js";
import type { MarkRegistry } from "../../stores/marks.store.js";

/** Marks of every survey's alerts; retracted sky maps too, which hold nothing: filters that read them go on. */
export function markOperands(registry: Pick<MarkRegistry, "all" | "onChange">): OperandSource {
  return {
    operands() {
      const marks = registry.all();
      return {
        values: marks.filter(({ kind }) => kind !== "WATCH_LIST").flatMap(operandsOf),
        lists: marks.filter(({ kind }) => kind === "WATCH_LIST").map(listOf),
      };
    },
    onChange: (listener) => registry.onChange(listener),
  };
}

function operandsOf(mark: Mark): Operand[] {
  if (mark.kind === "AREA") {
    const description = `Whether the alert lies in the area ${mark.name}${told(mark)}.`;
    return [{ name: markOperand(mark), type: "Bool", nullable: false, unit: null, description }];
  }
  const when = "missing outside of its time window and where the map does not reach";
  const value = (name: string, unit: string | null, what: string): Operand => {
    const description = `${what}, ${when}${told(mark)}.`;
    return { name: `${markOperand(mark)}${name}`, type: "Float64", nullable: true, unit, description };
  };
  const along = `distance that the sky map ${mark.name} gives its source, were it at the alert's position`;
  return [
    value("", null, `Smallest credible level (0 to 1) of the sky map ${mark.name} that holds the alert's position`),
    value(".distance.mean", "Mpc", `Mean of the ${along}`),
    value(".distance.sigma", "Mpc", `Standard deviation of the ${along}`),
  ];
}

const field = (name: string, type: Operand["type"], unit: string | null, description: string): Operand => {
  return { name, type, nullable: false, unit, description };
};

const listOf = (mark: Mark): OperandList => ({
  name: markOperand(mark),
  description: `Positions of the watch list ${mark.name} within their radius of the alert, nearest first${told(mark)}.`,
  order: "separation",
  fields: [
    field("name", "String", null, "The position's name in the list."),
    field("separationArcsec", "Float64", "arcsec", "From the alert to the position."),
    field("ra", "Float64", "deg", "Right ascension of the position, ICRS."),
    field("dec", "Float64", "deg", "Declination of the position, ICRS."),
  ],
});

const told = ({ description }: Mark): string => (description === "" ? "" : ` (${description})`);
