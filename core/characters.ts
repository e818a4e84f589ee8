/** ASCII codes of the characters that code which works on bytes looks for. */

export const LF = 0x0a;
export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const BACKSLASH = 0x5c;
