// The load model against what is known without it: the formula of a queue, the alerts that went in, and the rate that one
// machine was measured to have.
import { describe, expect, test } from "vitest";
import { random } from "./random.js";
import { EMBEDDED, SERVERS } from "./scale.costs.js";
import { capacities, type Night, simulateNight } from "./scale.model.js";
import { Clock, Station } from "./scale.stations.js";

const NIGHT: Night = {
  seed: 1,
  visits: 20,
  alertsPerVisit: 10_000,
  visitSeconds: 39,
  arrivalSeconds: 5,
  packetBytes: 139_000,
  workers: 4,
  partitions: 24,
  shards: 2,
  coresPerShard: 8,
  apiNodes: 2,
  filters: 25,
  hitsPerAlert: 0.3,
  subscribersPerHit: 4,
  users: 100,
  secondsBetweenQueries: 30,
};

describe("a queue before one server", () => {
  // M/D/1: the mean wait is ρ D / (2 (1 - ρ)) (Pollaczek and Khinchine, for a constant service time).
  test.each([0.3, 0.6, 0.9])("waits as M/D/1 at a load of %f", (load) => {
    const clock = new Clock();
    const station = new Station(clock, 1);
    const next = random(7);
    const [service, jobs] = [0.01, 100_000];
    let [sum, done] = [0, 0];
    const arrive = (left: number): void => {
      const from = clock.now;
      station.submit(service, () => {
        sum += clock.now - from - service;
        done += 1;
      });
      if (left > 1) clock.after((-Math.log(1 - next()) * service) / load, () => arrive(left - 1));
    };
    arrive(jobs);
    clock.run();
    expect(done).toBe(jobs);
    const expected = (load * service) / (2 * (1 - load));
    expect(sum / jobs / expected).toBeGreaterThan(0.93);
    expect(sum / jobs / expected).toBeLessThan(1.07);
    expect(station.busy / clock.now).toBeCloseTo(load, 2);
  });

  test("who is urgent goes first; who waits behind a station that is down goes on afterwards", () => {
    const clock = new Clock();
    const station = new Station(clock, 1);
    const order: string[] = [];
    const put = (name: string, isUrgent: boolean) =>
      station.submit(1, () => order.push(`${name} ${clock.now}`), isUrgent);
    put("first", true);
    put("patient", false);
    put("urgent", true);
    clock.at(1.5, () => station.down());
    clock.at(10, () => station.up());
    clock.run();
    expect(order).toEqual(["first 1", "urgent 2", "patient 11"]);
  });
});

describe("a night", () => {
  test.each(["worker", "shard", "sequencer"] as const)("delivers every alert once though a %s fails", (of) => {
    const calm = simulateNight(NIGHT, SERVERS);
    const failed = simulateNight({ ...NIGHT, failure: { of, atSeconds: 100, seconds: 300 } }, SERVERS);
    for (const { arrived, delivered } of [calm, failed]) {
      expect(arrived).toBe(200_000);
      expect(delivered).toBe(arrived);
    }
    expect(failed.latency.most).toBeGreaterThan(calm.latency.most);
  });

  test("is the same for the same seed", () => {
    expect(simulateNight(NIGHT, SERVERS)).toEqual(simulateNight(NIGHT, SERVERS));
  });

  test("one machine takes in what `bench -- ingest` measured: 3,541 alerts/s, 2,552 to 4,412", () => {
    const one = { workers: 1, partitions: 1, shards: 1, coresPerShard: 1, apiNodes: 1, filters: 0, users: 0 };
    const all = { ...NIGHT, ...one, visits: 1, alertsPerVisit: 100_000, arrivalSeconds: 0 };
    const rate = 100_000 / simulateNight(all, EMBEDDED).latency.most;
    expect(rate).toBeGreaterThan(2_552);
    expect(rate).toBeLessThan(4_412);
    expect(rate / capacities(all, EMBEDDED).workers).toBeCloseTo(1, 1);
  });

  test("keeps up below the least capacity, and falls behind above it by what is too much", () => {
    const small = { ...NIGHT, workers: 1, partitions: 1, users: 0, visits: 60, visitSeconds: 10, arrivalSeconds: 10 };
    const least = Math.min(...Object.values(capacities(small, SERVERS)));
    const at = (load: number) => {
      const alertsPerVisit = Math.round(10 * load * least);
      return { alertsPerVisit, ...simulateNight({ ...small, alertsPerVisit }, SERVERS) };
    };
    // A full batch takes 1,000 / least seconds, and two are under way.
    expect(at(0.8).latency.p99).toBeLessThan(4_000 / least);
    const over = at(1.3);
    const expected = (over.alertsPerVisit / 10 - least) * 600;
    expect(over.mostWaiting / expected).toBeGreaterThan(0.8);
    expect(over.mostWaiting / expected).toBeLessThan(1.2);
  });
});
