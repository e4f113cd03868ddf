/** All resources of a store that is in this process, by kind. */
import { formatPointer, StoreFileError, type Pointer } from "../errors.ts";
import type { Instant } from "../instant.ts";
import type { Query } from "../query.ts";
import type { Resource } from "../resource.ts";
import type { Change } from "./change.ts";
import { Collection } from "./collection.ts";
import { afterWrite, pointerOf } from "./preconditions.ts";
import type { Kind, View, Write } from "./store.ts";

const nothing: readonly Resource[] = Object.freeze([]);

/** The resources as they are now, with writes applied at once and taken back when need be. */
export class Collections implements View {
  readonly #byNamespace = new Map<string, Map<string, Collection>>();
  /** Formatted pointers. */
  readonly #blocked = new Set<string>();
  /** Those that were blocked until their owner wrote them anew. */
  readonly #healed = new Set<string>();
  #position: number;

  /** @param position that of the last change that led to `resources` */
  constructor(resources: Iterable<Resource>, position: number) {
    this.#position = position;
    for (const resource of resources)
      this.of(resource.metadata).set(resource.metadata.id, resource);
  }

  get(pointer: Pointer): Resource | undefined {
    return this.#find(pointer)?.get(pointer.id);
  }

  list(kind: Kind, query?: Query): readonly Resource[] {
    return this.#find(kind)?.list(query) ?? nothing;
  }

  isDamaged(pointer: Pointer): boolean {
    return this.#blocked.size > 0 && this.#blocked.has(formatPointer(pointer));
  }

  /**
   * Refuses to create a resource that is stored already, though it cannot be read. What a controller
   * owns it can make again, so its owner may; what nobody owns is not to be lost.
   */
  block(pointer: Pointer): void {
    this.#blocked.add(formatPointer(pointer));
  }

  unblock(pointer: Pointer): void {
    this.#blocked.delete(formatPointer(pointer));
  }

  /** The collection of a kind, made when there is none yet. */
  of({ namespace, type }: Kind): Collection {
    let byType = this.#byNamespace.get(namespace);
    if (byType === undefined)
      this.#byNamespace.set(namespace, (byType = new Map<string, Collection>()));
    let collection = byType.get(type);
    if (collection === undefined)
      byType.set(type, (collection = new Collection(Object.freeze({ namespace, type }))));
    return collection;
  }

  /**
   * Applies writes in order; later ones see earlier ones.
   *
   * @throws {NotFoundError} {@link ConflictError} and its subclasses: nothing was applied
   */
  apply(writes: readonly Write[], now: Instant): readonly Change[] {
    const changes: Change[] = [];
    try {
      for (const write of writes) {
        const pointer = pointerOf(write);
        const { id } = pointer;
        const before = this.get(pointer);
        const after = afterWrite(before, write, now);
        if (before === undefined) this.#unblockFor(write, pointer);
        const collection = this.of(pointer);
        collection.set(id, after);
        this.#position += 1;
        changes.push({ position: this.#position, kind: collection.kind, id, before, after });
      }
    } catch (error) {
      this.undo(changes);
      throw error;
    }
    return changes;
  }

  /** Takes back the newest changes. */
  undo(changes: readonly Change[]): void {
    for (const { kind, id, before } of changes.toReversed()) {
      this.of(kind).set(id, before);
      if (before === undefined && this.#healed.size > 0) this.#blockAgain({ ...kind, id });
    }
    this.#position -= changes.length;
  }

  #blockAgain(pointer: Pointer): void {
    const key = formatPointer(pointer);
    if (this.#healed.delete(key)) this.#blocked.add(key);
  }

  #unblockFor(write: Write, pointer: Pointer): void {
    if (!this.isDamaged(pointer)) return;
    if (write.op === "create" && (write.owner || write.replacesDamaged)) {
      this.#healed.add(formatPointer(pointer));
      this.unblock(pointer);
      return;
    }
    throw new StoreFileError(
      "ERR_STORE_DAMAGED",
      `resource ${formatPointer(pointer)} is stored but cannot be read: restore the store from a ` +
        "backup, or discard the damaged row",
    );
  }

  #find({ namespace, type }: Kind): Collection | undefined {
    return this.#byNamespace.get(namespace)?.get(type);
  }
}
