// All areas to one schema. Called by cli/ once the surveys are known, and by tests.
import "reflect-metadata";
import type { GraphQLSchema } from "graphql";
import { buildSchemaSync } from "type-graphql";
import type { SurveyDescription } from "../domain/survey.js";
import { registerSurveys } from "../schema/survey/survey.type.js";
import { AlertResolver } from "./alert/alert.resolver.js";
import { ArchivalResolver, EverythingHereResolver, ObjectArchivalResolver } from "./archival/archival.resolver.js";
import { ArchiveResolver } from "./archival/archive.resolver.js";
import { BacktestQueries } from "./backtest/backtest.resolver.js";
import { CheckResolver } from "./backtest/check.resolver.js";
import { DifferenceResolver, FilterHistoryResolver } from "./backtest/difference.resolver.js";
import { CatalogsHereResolver } from "./catalog/catalog.here.js";
import { CatalogMutations } from "./catalog/catalog.mutation.js";
import { CatalogResolver } from "./catalog/catalog.resolver.js";
import { ClockResolver } from "./clock/clock.resolver.js";
import { CorrectionResolver } from "./correction/correction.resolver.js";
import { StaleObjectsResolver } from "./correction/stale.resolver.js";
import {
  AlertCrossMatchResolver,
  HostResolver,
  ObjectCrossMatchResolver,
  RematchResolver,
} from "./crossmatch/crossmatch.resolver.js";
import { DeadLetterResolver } from "./deadletter/deadletter.resolver.js";
import { AlertFeaturesResolver, ObjectFeaturesResolver, StaleFeaturesResolver } from "./feature/feature.resolver.js";
import { FilterMutations } from "./filter/filter.mutation.js";
import { FilterQueries } from "./filter/filter.query.js";
import { WatchMutation } from "./filter/watch.mutation.js";
import { HitResolver } from "./hit/hit.resolver.js";
import { HitMarkResolver } from "./mark/mark.hits.js";
import { MarkMutations } from "./mark/mark.mutation.js";
import { MarkQueries } from "./mark/mark.query.js";
import { ClauseMissingResolver, MissingResolver } from "./missing/missing.resolver.js";
import { ObjectsHereResolver } from "./object/object.here.js";
import { ObjectResolver } from "./object/object.resolver.js";
import { ReceiptResolver } from "./receipt/receipt.resolver.js";
import { MicrolensingResolver } from "./score/microlensing.resolver.js";
import { ScoreResolver } from "./score/score.resolver.js";
import { SolarSystemResolver } from "./solarsystem/solarsystem.resolver.js";
import { TrackletResolver } from "./solarsystem/tracklet.resolver.js";
import { SurveyResolver } from "./survey/survey.resolver.js";

/** type-graphql asks for one where a subscription exists, though ours bring their own `subscribe`. */
const NO_PUBSUB = {
  publish: () => {},
  subscribe: () => {
    throw new Error("Subscriptions are fed by the hub.");
  },
};

/** The executable schema; its Survey enum has these surveys. */
export function buildTocsinSchema(surveys: Iterable<SurveyDescription>): GraphQLSchema {
  registerSurveys(surveys);
  return buildSchemaSync({
    resolvers: [
      AlertResolver,
      ArchivalResolver,
      ArchiveResolver,
      EverythingHereResolver,
      ObjectArchivalResolver,
      CatalogsHereResolver,
      ObjectsHereResolver,
      BacktestQueries,
      CheckResolver,
      CatalogResolver,
      CatalogMutations,
      ClockResolver,
      DifferenceResolver,
      FilterHistoryResolver,
      AlertCrossMatchResolver,
      ObjectCrossMatchResolver,
      HostResolver,
      RematchResolver,
      ObjectResolver,
      HitResolver,
      FilterQueries,
      FilterMutations,
      MarkQueries,
      MarkMutations,
      WatchMutation,
      HitMarkResolver,
      DeadLetterResolver,
      ReceiptResolver,
      MicrolensingResolver,
      ScoreResolver,
      SolarSystemResolver,
      TrackletResolver,
      SurveyResolver,
      AlertFeaturesResolver,
      ObjectFeaturesResolver,
      StaleFeaturesResolver,
      CorrectionResolver,
      StaleObjectsResolver,
      MissingResolver,
      ClauseMissingResolver,
    ],
    // Arguments are checked by resolvers/bounds, across fields and with messages that name the bound.
    validate: false,
    // The whole schema introspected at every start: build.test.ts does it once.
    skipCheck: true,
    pubSub: NO_PUBSUB,
  });
}
