// A key and a self-signed certificate for `localhost` and 127.0.0.1, by Java's own keytool. Called by kafka.ts.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { javaTool } from "./java.js";

const run = promisify(execFile);

/** Writes keystore.p12, guarded by the password, and certificate.pem for those who shall trust it. */
export async function makeCertificate(folder: string, password: string): Promise<void> {
  const store = ["-keystore", join(folder, "keystore.p12"), "-storepass", password, "-alias", "server"];
  const key = ["-keyalg", "EC", "-groupname", "secp256r1", "-validity", "3650"];
  const names = ["-dname", "CN=localhost", "-ext", "san=dns:localhost,ip:127.0.0.1", "-ext", "bc=ca:true"];
  await run(javaTool("keytool"), ["-genkeypair", "-storetype", "PKCS12", ...store, ...key, ...names]);
  await run(javaTool("keytool"), ["-exportcert", "-rfc", ...store, "-file", join(folder, "certificate.pem")]);
}
