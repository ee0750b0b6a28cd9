// Cypher of leases. Called by stores/graph/lease.ts.
// (:Lease {name, owner, holder, epoch, until, turn}): owner = id of one opened lease, holder = its name for people, epoch =
// decimal digits, until = epoch milliseconds by the clock of the database.
import { statement } from "../graph.js";

/** First statement of every change: on Neo4j the SET locks the node until the transaction ends. turn only has to be set. */
export const LOCK_LEASE = statement<{ name: string; turn: string }>(`
  MERGE (l:Lease {name: $name})
  ON CREATE SET l.owner = '', l.holder = '', l.epoch = '0', l.until = 0
  SET l.turn = $turn`);

export interface LeaseRow {
  owner: string;
  holder: string;
  epoch: string;
  until: number;
}

export const READ_LEASE = statement<{ name: string }, LeaseRow>(`
  MATCH (l:Lease {name: $name})
  RETURN l.owner AS owner, l.holder AS holder, l.epoch AS epoch, l.until AS until`);

export const WRITE_LEASE = statement<{ name: string; owner: string; holder: string; epoch: string; until: number }>(`
  MATCH (l:Lease {name: $name})
  SET l.owner = $owner, l.holder = $holder, l.epoch = $epoch, l.until = $until`);
