/** Work on database files that no store has open. */
import { openSqliteStore } from "#runtime/store";
import {
  openDatabase,
  type Column,
  type Row,
} from "../../../../src/runtime/store/sqlite/database.ts";

/** Runs statements on the file; makes it when it is missing. */
export async function tamper(file: string, ...statements: string[]): Promise<void> {
  const database = await openDatabase(file);
  for (const statement of statements) database.execute(statement);
  database.close();
}

/** The rows of a query. */
export async function rowsOf(file: string, sql: string, ...values: Column[]): Promise<Row[]> {
  const database = await openDatabase(file);
  const rows = [...database.prepare(sql).rows(...values)];
  database.close();
  return rows;
}

/** What the opening of a store fails with; nothing when it does not. */
export const refusal = async (path: string): Promise<unknown> =>
  openSqliteStore({ path }).then(
    async (store) => {
      await store.close();
      return undefined;
    },
    (error: unknown) => error,
  );
