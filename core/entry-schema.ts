/** Members of an entry that several schemas have in common: what is checked of their shape is the same wherever an entry comes from. */
import * as z from 'zod';
import { META_KEYS } from './entry';

export const metaSchema = z.strictObject(Object.fromEntries(META_KEYS.map((key) => [key, z.string().optional()])));

/** Origin or client of an entry that was stamped already: goes into the line as it is. */
export const stampSchema = z.string().regex(/^[^"\\\u0000-\u001f]{1,256}$/, 'is no name');
