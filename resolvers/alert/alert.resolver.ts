// Queries of alerts, and the fields of an alert that lead elsewhere: its object, packet, own columns and cutouts.
import { Arg, Args, Ctx, FieldResolver, Query, Resolver, Root } from "type-graphql";
import type { Alert } from "../../domain/alert.js";
import { alertCursor, queryIdentity } from "../../domain/cursor.js";
import { TocsinError } from "../../domain/errors.js";
import type { Survey } from "../../domain/survey.js";
import { AlertWhere } from "../../schema/alert/alert.input.js";
import { AlertConnectionType, AlertType, CutoutsType } from "../../schema/alert/alert.type.js";
import { lookupCost, PACKET_COST, searchCost } from "../../schema/cost.js";
import { SkyObjectType } from "../../schema/object/object.type.js";
import { PageArgs } from "../../schema/paging/pageinfo.type.js";
import { JsonValue } from "../../schema/scalars/json.scalar.js";
import { Long } from "../../schema/scalars/long.scalar.js";
import { SurveyEnum } from "../../schema/survey/survey.type.js";
import { badArgument, isInt64, list, pageSize } from "../bounds.js";
import type { Context } from "../context.js";
import { connection } from "../paging.js";
import { alertEdge, shownAlert, shownObject } from "../shown.js";
import { conditionsOf } from "./alert.conditions.js";
import { matchingAlerts } from "./alert.matching.js";

/** Own columns that one `fields` may name. */
const MAX_OWN_FIELDS = 300;

@Resolver(() => AlertType)
export class AlertResolver {
  @Query(() => AlertType, { nullable: true, complexity: lookupCost })
  async alert(
    @Ctx() context: Context,
    @Arg("survey", () => SurveyEnum) survey: Survey,
    @Arg("candid", () => Long) candid: bigint,
  ): Promise<AlertType | null> {
    const alert = isInt64(candid) ? await context.loaders.alert.load({ survey, id: candid }) : null;
    return alert && shownAlert(alert);
  }

  @Query(() => AlertConnectionType, {
    complexity: searchCost,
    description: "Newest first. The given conditions are ANDed; at least one must be given.",
  })
  async alerts(
    @Ctx() context: Context,
    @Arg("where", () => AlertWhere) where: AlertWhere,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<AlertConnectionType> {
    const first = pageSize(page.first);
    const conditions = conditionsOf(where);
    if (where.matches != null) return matchingAlerts(context, conditions, where.matches, first, page.after);
    const { stores, viewer } = context;
    const identity = queryIdentity("alerts", Object.entries(conditions));
    const after = page.after == null ? null : alertCursor.decode(identity, page.after);
    const key = after && { jd: after[0], candid: after[1], survey: after[2] };
    const alerts = await stores.alerts.page(viewer, conditions, first + 1, key);
    return connection(alerts, first, alertEdge(identity));
  }

  @FieldResolver(() => SkyObjectType)
  async object(@Root() alert: AlertType, @Ctx() { loaders }: Context): Promise<SkyObjectType> {
    const object = await loaders.object.load({ survey: alert.survey, id: alert.objectId, asOf: alert.asOf });
    if (object === null) throw new TocsinError("NOT_FOUND", `There is no object ${alert.survey} ${alert.objectId}.`);
    return shownObject(object, alert.asOf);
  }

  @FieldResolver(() => JsonValue, {
    complexity: PACKET_COST,
    description: "The survey's own fields of this alert, unchanged, 64-bit integers as strings.",
  })
  async packet(@Root() alert: Alert, @Ctx() { loaders }: Context): Promise<unknown> {
    const fields = await loaders.packet.load({ survey: alert.survey, id: alert.candid });
    if (fields === null) throw new TocsinError("NOT_FOUND", `There is no packet of ${alert.survey} ${alert.candid}.`);
    return fields;
  }

  @FieldResolver(() => JsonValue, {
    complexity: ({ args }) => args.names.length,
    description: "The named fields of filterFields, as filters see them, 64-bit integers as strings. At most 300.",
  })
  async fields(
    @Root() alert: Alert,
    @Ctx() context: Context,
    @Arg("names", () => [String]) names: string[],
  ): Promise<unknown> {
    list("names", names, MAX_OWN_FIELDS, 1);
    const known = namesOf(context.services.language.fields(alert.survey));
    const unknown = names.find((name) => !known.has(name));
    if (unknown !== undefined) {
      const message = `names must be fields of filterFields(survey: ${alert.survey}), found ${JSON.stringify(unknown.slice(0, 60))}.`;
      throw badArgument(message, { argument: "names" });
    }
    const unique = [...new Set(names)].sort();
    return context.loaders.ownFields.load({ survey: alert.survey, candid: alert.candid, names: unique });
  }

  @FieldResolver(() => CutoutsType, { description: "FITS by default; ?format=png and stretches: see the manual." })
  cutouts(@Root() alert: Alert): CutoutsType {
    const at = `/cutouts/${alert.survey}/${alert.candid}`;
    return { science: `${at}/science`, template: `${at}/template`, difference: `${at}/difference` };
  }
}

/** Asked for every alert of a page, by the one list that the survey has. */
const nameSets = new WeakMap<readonly { name: string }[], ReadonlySet<string>>();
function namesOf(fields: readonly { name: string }[]): ReadonlySet<string> {
  const names = nameSets.get(fields) ?? new Set(fields.map(({ name }) => name));
  nameSets.set(fields, names);
  return names;
}
