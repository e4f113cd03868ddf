/** All resources of a store that is in this process, by kind. */
import { formatPointer, StoreFileError, type Pointer } from "../errors.ts";
import type { Instant } from "../instant.ts";
import type { Query } from "../query.ts";
import type { Resource } from "../resource.ts";
import { Change } from "./change.ts";
import { Collection } from "./collection.ts";
import { DamagedResource } from "./damaged-resource.ts";
import { afterWrite, pointerOf } from "./preconditions.ts";
import type { Kind, View, Write } from "./store.ts";

/** What writes did, and the resources that they left behind, one for each. */
export interface Applied {
  readonly changes: readonly Change[];
  readonly resources: readonly Resource[];
}

const nothing: readonly Resource[] = Object.freeze([]);

/** The resources as they are now, with writes applied at once and taken back when need be. */
export class Collections implements View {
  readonly #byNamespace = new Map<string, Map<string, Collection>>();
  readonly #damaged = this.of(DamagedResource);
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
    return this.#damaged.size > 0 && this.#damaged.get(formatPointer(pointer)) !== undefined;
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
  apply(writes: readonly Write[], now: Instant): Applied {
    const changes: Change[] = [];
    const resources: Resource[] = [];
    try {
      for (const write of writes) {
        const pointer = pointerOf(write);
        const found = this.#find(pointer);
        const before = found?.get(pointer.id);
        const after = afterWrite(before, write, now, found?.kind ?? pointer);
        if (before === undefined && this.isDamaged(pointer))
          changes.push(this.#giveUpDamaged(pointer, write));
        const collection = found ?? this.of(pointer);
        if (collection === this.#damaged && write.op !== "destroy")
          throw new TypeError(`only a store makes ${DamagedResource.type}`);
        changes.push(this.#set(collection, pointer.id, before, after));
        const left = after ?? before;
        if (left !== undefined) resources.push(left);
      }
    } catch (error) {
      this.undo(changes);
      throw error;
    }
    return { changes, resources };
  }

  /** Takes back the newest changes. */
  undo(changes: readonly Change[]): void {
    for (const { kind, id, before } of changes.toReversed()) this.of(kind).set(id, before);
    this.#position -= changes.length;
  }

  #set(
    collection: Collection,
    id: string,
    before: Resource | undefined,
    after: Resource | undefined,
  ): Change {
    collection.set(id, after);
    this.#position += 1;
    return new Change(this.#position, collection.kind, id, { before, after });
  }

  /**
   * What is stored, though it cannot be read, is not created again, except by a controller, for what
   * it owns it can make anew, or by who says so: what nobody owns is not to be lost.
   */
  #giveUpDamaged(pointer: Pointer, write: Write): Change {
    const name = formatPointer(pointer);
    if (write.op === "create" && (write.owner || write.replacesDamaged))
      return this.#set(this.#damaged, name, this.#damaged.get(name), undefined);
    throw new StoreFileError(
      "ERR_STORE_DAMAGED",
      `resource ${name} is stored but cannot be read: restore the store from a backup, or discard ` +
        "the damaged row",
    );
  }

  #find({ namespace, type }: Kind): Collection | undefined {
    return this.#byNamespace.get(namespace)?.get(type);
  }
}
