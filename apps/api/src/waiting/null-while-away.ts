import { DatabaseUnavailableError } from '@offload/database';

/** Resolves with the database's answer, or with null while it is away. Rejects with any other fault. */
export async function nullWhileAway<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) return null;
    throw error;
  }
}
