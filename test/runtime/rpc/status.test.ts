import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import * as runtime from "#runtime";
import * as rpc from "#runtime/rpc";
import * as store from "#runtime/store";

const pointer = { namespace: "n", type: "T.x.dev", id: "a" };

test("every error of the runtime is in the table", () => {
  const classes = [runtime, rpc, store]
    .flatMap((module) => Object.values(module) as unknown[])
    .filter(
      (value): value is new (...args: unknown[]) => runtime.CodedError =>
        typeof value === "function" && value.prototype instanceof runtime.CodedError,
    );
  const codes = classes
    .filter(
      (type) =>
        type !== (runtime.ResourceError as unknown) && type !== (runtime.StoreFileError as unknown),
    )
    .map((type) => new type(pointer, ["x"]).code);
  expect(codes.length).toBeGreaterThan(12);
  expect(Object.keys(rpc.runtimeStatuses)).toEqual(expect.arrayContaining(codes));
});

test.each([
  [new runtime.NotFoundError(pointer), "Get", status.NOT_FOUND],
  [new runtime.NotFoundError(pointer), "Watch", status.UNKNOWN],
  [new runtime.OwnerConflictError(pointer, "x"), "Update", status.PERMISSION_DENIED],
  [new runtime.PhaseConflictError(pointer, "running"), "Update", status.INVALID_ARGUMENT],
  [new runtime.PhaseConflictError(pointer, "running"), "Teardown", status.FAILED_PRECONDITION],
  [new runtime.AlreadyExistsError(pointer), "Create", status.ALREADY_EXISTS],
  [new runtime.VersionConflictError(pointer, 1, 2), "Update", status.FAILED_PRECONDITION],
  [new runtime.InvalidBookmarkError("x"), "Watch", status.FAILED_PRECONDITION],
  [new rpc.InvalidRequestError("x"), "Update", status.UNKNOWN],
  [new rpc.InvalidRequestError("x"), "List", status.INVALID_ARGUMENT],
] as const)("%s in %s", (error, method, code) => {
  expect(rpc.statusOf(error, method)).toEqual({ code, details: error.message });
});

test("an error that was not written for callers tells them nothing", () => {
  expect(rpc.statusOf(new Error("secret"), "Get")).toEqual({
    code: status.UNKNOWN,
    details: "internal error",
  });
});
