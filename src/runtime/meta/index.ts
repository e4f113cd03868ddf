/** Kinds and namespaces as resources. */
export { kindNames } from "./aliases.ts";
export type { KindNames, NamedKind } from "./aliases.ts";
export { aliasCollisions, definitionOf, Namespace, ResourceDefinition } from "./kinds.ts";
export type { AliasCollision } from "./kinds.ts";
export { registerKinds } from "./register-kinds.ts";
