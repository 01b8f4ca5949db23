// Wycheproof's vectors for every algorithm that the gate offers, through its own reading of keys and
// the runtime's WebCrypto. They sign texts that no token has, so that the build with drills is asked.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT, startGate, startOrigin } from "./harness.mjs";

/** The files of each algorithm; those of one that is not offered yet wait for it. */
const FILES = {
  Ed25519: ["ed25519"],
  ES256: ["ecdsa_secp256r1_sha256_p1363"],
  ES384: ["ecdsa_secp384r1_sha384_p1363"],
  ES512: ["ecdsa_secp521r1_sha512_p1363"],
  HS256: ["hmac_sha256"],
  HS384: ["hmac_sha384"],
  HS512: ["hmac_sha512"],
  PS256: ["rsa_pss_2048_sha256_mgf1_32", "rsa_pss_3072_sha256_mgf1_32", "rsa_pss_4096_sha256_mgf1_32"],
  PS384: ["rsa_pss_2048_sha384_mgf1_48", "rsa_pss_4096_sha384_mgf1_48"],
  PS512: ["rsa_pss_4096_sha512_mgf1_64"],
  RS256: ["rsa_signature_2048_sha256", "rsa_signature_3072_sha256", "rsa_signature_4096_sha256", "rsa_signature_8192_sha256"],
  RS384: ["rsa_signature_2048_sha384", "rsa_signature_3072_sha384", "rsa_signature_4096_sha384"],
  RS512: ["rsa_signature_2048_sha512", "rsa_signature_3072_sha512", "rsa_signature_4096_sha512"],
};

/** Right signatures by something that is nearly the algorithm: none of them may pass for it. */
const LOOK_ALIKES = {
  ES256: ["ecdsa_secp256r1_sha512_p1363", "ecdsa_secp256r1_sha256", "ecdsa_secp256r1_shake128_p1363"],
  PS256: ["rsa_pss_2048_sha256_mgf1_0", "rsa_pss_2048_sha256_mgf1sha1_20", "rsa_pss_2048_sha512_256_mgf1_32", "rsa_signature_2048_sha256"],
  RS256: ["rsa_signature_2048_sha384", "rsa_signature_2048_sha512_256", "rsa_signature_2048_sha3_256", "rsa_pss_2048_sha256_mgf1_32"],
  HS256: ["hmac_sha512_256", "hmac_sha3_256", "hmac_sha384"],
};

/** The length of a whole tag, in hexadecimal digits. */
const FULL_TAG = { HS256: 64, HS384: 96, HS512: 128 };

let gate, origin, folder;

before(async () => {
  const metadata = execFileSync("cargo", ["metadata", "--format-version=1", "--locked", "--offline"], { cwd: ROOT, maxBuffer: 1 << 26 });
  const { manifest_path } = JSON.parse(metadata).packages.find(({ name }) => name === "wycheproof");
  folder = join(dirname(manifest_path), "src/data");
  origin = await startOrigin();
  gate = await startGate({ origin, build: "build-drills", vars: { ROUTES: [{ match: "/**", open: true }] } });
});
after(async () => {
  await gate?.stop();
  await origin?.stop();
});

/** Every algorithm in the source: one without vectors fails. */
const source = readFileSync(join(ROOT, "src/token/algorithm.rs"), "utf8");
const offered = [...source.matchAll(/Self::\w+ => "(\w+)"/g)].map(([, name]) => name);

test("the algorithms are found in the source", () => assert.ok(offered.length >= 5, offered.join(" ")));

for (const alg of offered) {
  test(`${alg}: every right signature passes, and no wrong one`, async () => {
    assert.ok(FILES[alg], `${alg} is offered, and no vectors are run against it`);
    const counts = { right: 0, wrong: 0, short: 0 };
    for (const file of FILES[alg]) {
      for (const { vector, verdict, refused } of await judged(file, alg)) {
        const what = `${file} ${vector.tcId} (${vector.comment}): ${refused ?? verdict}`;
        if (refused) {
          // The gate takes no secret that is shorter than the hash.
          assert.match(refused, /^k: found a secret of \d+ bytes, expected at least/, what);
          counts.short += 1;
        } else if (vector.tag && vector.tag.length < FULL_TAG[alg]) {
          // Right for HMAC, and cut: only JOSE demands the whole of it.
          assert.equal(verdict, "invalid", what);
          counts.wrong += 1;
        } else if (vector.result === "valid") {
          assert.equal(verdict, "valid", what);
          counts.right += 1;
        } else if (vector.result === "invalid") {
          assert.equal(verdict, "invalid", what);
          counts.wrong += 1;
        }
      }
    }
    console.log(`${alg}: ${counts.right} right ones passed, ${counts.wrong} wrong ones refused, ${counts.short} keys too short`);
    assert.ok(counts.right > 0 && counts.wrong > 10);
  });
}

for (const [alg, files] of Object.entries(LOOK_ALIKES)) {
  test(`${alg}: what is signed by something alike is refused`, async () => {
    for (const file of files) {
      const right = (await judged(file, alg)).filter(({ vector }) => vector.result === "valid");
      assert.ok(right.length > 2, file);
      for (const { vector, verdict, refused } of right) {
        assert.ok(refused || verdict === "invalid", `${file} ${vector.tcId} (${vector.comment}): ${verdict}`);
      }
    }
  });
}

/** The gate's verdict on each vector of a file. */
async function judged(file, alg) {
  const { testGroups } = JSON.parse(readFileSync(join(folder, `${file}_test.json`), "utf8"));
  const found = [];
  for (const group of testGroups) {
    for (const [key, vectors] of byKey(group)) {
      const checks = vectors.map(({ msg, sig, tag }) => [base64url(msg), base64url(sig ?? tag)]);
      const response = await gate.fetch("/_tollgate/drill/verify", { method: "POST", body: JSON.stringify({ jwk: JSON.parse(key), alg, checks }) });
      const { verdicts, refused } = await response.json();
      found.push(...vectors.map((vector, at) => ({ vector, verdict: verdicts?.[at], refused })));
    }
  }
  return found;
}

/** The vectors of a group by their key: a JWK without the fields that narrow its use. */
function byKey(group) {
  const keys = new Map();
  for (const vector of group.tests) {
    const { kty, crv, x, y, n, e, k } = group.publicKeyJwk ?? group.keyJwk ?? numbersOf(group) ?? { kty: "oct", k: base64url(vector.key) };
    const text = JSON.stringify({ kty, crv, x, y, n, e, k });
    keys.set(text, [...(keys.get(text) ?? []), vector]);
  }
  return keys;
}

/** The key of a group that has no JWK. */
function numbersOf({ publicKey }) {
  if (publicKey?.modulus) return { kty: "RSA", n: base64url(publicKey.modulus), e: base64url(publicKey.publicExponent) };
  if (!publicKey?.uncompressed) return undefined;
  const [x, y] = [publicKey.uncompressed.slice(2, 66), publicKey.uncompressed.slice(66)].map(base64url);
  return { kty: "EC", crv: "P-256", x, y };
}

function base64url(hex) {
  return Buffer.from(hex, "hex").toString("base64url");
}
