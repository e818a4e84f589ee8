/**
 * Foreign Markdown as Markdown that a preview renders readably and in which nothing acts: no link, image, HTML, table or
 * entity of the content survives as such. Built from scratch line by line, so a line that was understood wrongly is at
 * worst ugly. Pure.
 */
import { visibleText } from '../../core/visible-text';

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const FIELD = /^\*\*([^*\n]{1,60}?)(?::\*\*|\*\*:)[ \t]*(.*)$/;
const HEADING = /^#{1,6}[ \t]+(.*?)[ \t]*#*$/;
const BULLET = /^([ \t]*)([-*+]|\d{1,9}[.)])[ \t]+(?:\[([ xX-])\][ \t]+)?(.*)$/;
const QUOTE = /^[ \t]*>[ \t]?(.*)$/;

/** Every ASCII punctuation character may be escaped with a backslash (CommonMark 0.31, section 2.4) and then is only itself. */
export function escapeInline(text: string): string {
  return visibleText(text).replaceAll(/[!-/:-@[-`{-~]/g, '\\$&');
}

/** Code spans and bold are rebuilt, everything else is escaped. */
function inline(text: string): string {
  const parts = text.split(/(`[^`]+`|\*\*[^*]+\*\*)/);
  return parts
    .map((part, at) => {
      if (at % 2 === 0) return escapeInline(part);
      return part.startsWith('`') ? `\`${visibleText(part.slice(1, -1))}\`` : `**${escapeInline(part.slice(2, -2))}**`;
    })
    .join('');
}

const CHECKBOX: Readonly<Record<string, string>> = { ' ': '☐ ', x: '☑ ', X: '☑ ', '-': '☒ ' };

function textLine(line: string): string {
  const field = FIELD.exec(line);
  if (field !== null) return `**${escapeInline(field[1] ?? '')}**: ${inline(field[2] ?? '')}`;
  const heading = HEADING.exec(line);
  if (heading !== null) return `#### ${inline(heading[1] ?? '')}`;
  const bullet = BULLET.exec(line);
  if (bullet !== null) {
    const [, indent = '', marker = '-', box, rest = ''] = bullet;
    const kept = /\d/.test(marker) ? marker.replace(')', '.') : '-';
    return `${indent.replaceAll('\t', '  ')}${kept} ${box === undefined ? '' : (CHECKBOX[box] ?? '')}${inline(rest)}`;
  }
  const quote = QUOTE.exec(line);
  if (quote !== null) return `> ${inline(quote[1] ?? '')}`;
  return inline(line.trim());
}

/** A fence longer than any run of backticks in the text, so that nothing in it can end it. */
export function fenced(text: string, language = ''): string {
  const longest = (text.match(/`+/g) ?? []).reduce((max, run) => Math.max(max, run.length), 2);
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${visibleText(text)}\n${fence}`;
}

function closes(line: string, fence: string): boolean {
  const trimmed = line.trim();
  return trimmed.length >= fence.length && trimmed === fence.charAt(0).repeat(trimmed.length);
}

export function inertMarkdown(content: string): string {
  const out: string[] = [];
  const lines = content.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const fence = FENCE.exec(line)?.[1];
    if (fence === undefined) {
      out.push(textLine(line));
      continue;
    }
    const code: string[] = [];
    for (at++; at < lines.length && !closes(lines[at] ?? '', fence); at++) code.push(lines[at] ?? '');
    // The blank lines keep a list or quote before it from swallowing our fence.
    out.push('', fenced(code.join('\n')), '');
  }
  return out.join('\n');
}
