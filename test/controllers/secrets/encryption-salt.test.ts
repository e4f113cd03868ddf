import { EncryptionSalt } from "#resources";
import { days } from "#runtime";
import { mount } from "#runtime/testing";
import { expect, test } from "vitest";
import { encryptionSaltController } from "../../../src/controllers/secrets/encryption-salt.ts";
import { START } from "../control-plane.ts";

const salted = async (seed: number) => mount(encryptionSaltController(), { now: START, seed });

test("the salt is 32 random bytes, made once", async () => {
  await using t = await salted(1);
  const before = t.resource(EncryptionSalt, "salt");
  expect(Buffer.from(before?.spec.diskSalt ?? "", "base64")).toHaveLength(32);
  await t.advance(days(4000));
  expect(t.resource(EncryptionSalt, "salt")).toBe(before);
});

test("another node has another one", async () => {
  await using one = await salted(1);
  await using other = await salted(2);
  expect(one.spec(EncryptionSalt, "salt")).not.toEqual(other.spec(EncryptionSalt, "salt"));
});
