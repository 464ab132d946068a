import { DatabaseUnavailableError } from '@offload/database';

/** What the database says, or null while it is away: for what an answer can do without. Other faults are thrown on. */
export async function nullWhileAway<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) return null;
    throw error;
  }
}
