/** The date in front of an entry, as people write it. Pure: which time it is comes from outside. */

const two = (value: number): string => String(value).padStart(2, '0');

/** Local time, `YYYY-MM-DD-HHMMSS`. */
export function localDate(now: Date): string {
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  return `${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}
