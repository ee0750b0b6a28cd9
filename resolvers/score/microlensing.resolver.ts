// The microlensing fit of an object's light curve, made when it is asked for.
import { Ctx, FieldResolver, Resolver, Root } from "type-graphql";
import { fitMicrolensing, magnification, pointsOfImages } from "../../domain/microlensing.js";
import type { FluxPoint } from "../../domain/shapefit.js";
import { FIT_COST } from "../../schema/cost.js";
import { SkyObjectType } from "../../schema/object/object.type.js";
import { MicrolensingType } from "../../schema/score/microlensing.type.js";
import type { Context } from "../context.js";

@Resolver(() => SkyObjectType)
export class MicrolensingResolver {
  @FieldResolver(() => MicrolensingType, {
    nullable: true,
    complexity: FIT_COST,
    description:
      "Null with fewer than 10 points. Forced photometry counts in place of the detection of the same image.",
  })
  async microlensing(
    @Root() { survey, objectId, asOf }: SkyObjectType,
    @Ctx() { loaders, breathe }: Context,
  ): Promise<MicrolensingType | null> {
    const curve = await loaders.lightCurve.load({ survey, id: objectId, asOf });
    await breathe();
    const fit =
      curve &&
      fitMicrolensing(pointsOfImages(curve.detections.flatMap(measuredPoint), curve.forced.flatMap(measuredPoint)));
    if (fit === null) return null;
    return {
      ...fit,
      t0Error: known(fit.t0Error),
      tEError: known(fit.tEError),
      u0Error: known(fit.u0Error),
      magnification: magnification(fit.u0),
      candidate: fit.failedCuts.length === 0,
    };
  }
}

const known = (error: number): number | null => (Number.isFinite(error) ? error : null);

function measuredPoint(point: {
  readonly jd: number;
  readonly band: string;
  readonly flux: number | null;
  readonly fluxError: number | null;
}): FluxPoint[] {
  const { jd, band, flux, fluxError } = point;
  return flux === null || fluxError === null ? [] : [{ jd, band, flux, fluxError }];
}
