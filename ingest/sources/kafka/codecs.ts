// The four compressions of Kafka's record batches, unpacked within bounds, for kafkajs, which has only gzip and no bounds.
// Called by client.ts and session.ts.
import { gunzipSync, gzipSync } from "node:zlib";
import kafkajs from "kafkajs";
import { unzstandard } from "../../avro/zstandard.js";
import { unlz4 } from "./lz4.js";
import { unreadableRecords } from "./unreadable.js";
import { unpackSnappy } from "./xerial.js";

/** No batch of a producer may hold more, unpacked. The usual ones hold at most 1 MiB. */
const MAX_BATCH_BYTES = 64 * 1024 * 1024;
/** One fetch unpacks at most this much and one batch; what is left is fetched again. */
const MAX_FETCH_BYTES = 64 * 1024 * 1024;

let unpackedInFetch = 0;

/** A fetch begins. (Fetches from several brokers at the same time share what is left of the bound.) */
export function fetchBegins(): void {
  unpackedInFetch = 0;
}

type Unpack = (bytes: Uint8Array, maxBytes: number) => Uint8Array;

type Compression = Exclude<kafkajs.CompressionTypes, kafkajs.CompressionTypes.None>;

const UNPACK: readonly [Compression, Unpack][] = [
  [kafkajs.CompressionTypes.GZIP, (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength })],
  [kafkajs.CompressionTypes.Snappy, unpackSnappy],
  [kafkajs.CompressionTypes.LZ4, unlz4],
  [kafkajs.CompressionTypes.ZSTD, unzstandard],
];

/** kafkajs takes an error of this name for "the fetch ended within this batch" and asks for it again. */
class BatchForLater extends Error {
  override readonly name = "KafkaJSPartialMessageError";
}

function decompress(packed: Buffer, unpack: Unpack): Buffer {
  if (unpackedInFetch >= MAX_FETCH_BYTES) throw new BatchForLater("enough was unpacked in this fetch");
  let records: Uint8Array;
  try {
    records = unpack(packed, MAX_BATCH_BYTES);
  } catch (error) {
    // An error here would end the consumer, now and after every restart: the batch becomes dead letters instead.
    records = unreadableRecords(packed, (error as Error).message);
  }
  unpackedInFetch += records.length;
  return Buffer.from(records.buffer, records.byteOffset, records.length);
}

let isRegistered = false;

/** kafkajs keeps its codecs in one table for the whole process. A codec that packs and is there already keeps doing that. */
export function registerCodecs(): void {
  if (isRegistered) return;
  isRegistered = true;
  for (const [type, unpack] of UNPACK) {
    const before = type === kafkajs.CompressionTypes.GZIP ? gzip : kafkajs.CompressionCodecs[type];
    kafkajs.CompressionCodecs[type] = () => ({
      compress: async (encoder: { buffer: Buffer }) => before().compress(encoder),
      decompress: async (packed: Buffer) => decompress(packed, unpack),
    });
  }
}

const gzip = () => ({ compress: async ({ buffer }: { buffer: Buffer }) => gzipSync(buffer) });
