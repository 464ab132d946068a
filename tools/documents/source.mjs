import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** @returns what a source of any package exports: what the pages tell of is no door's, and no program runs it */
export const fromSource = (file) => import(join(root, file));
