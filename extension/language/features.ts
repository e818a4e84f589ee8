/** What the editor shows for a `.context` file: symbols, folds, problems, lenses. From a scan to the protocol's types. */
import {
  DiagnosticSeverity,
  FoldingRangeKind,
  SymbolKind,
  type CodeLens,
  type Diagnostic,
  type DocumentSymbol,
  type FoldingRange,
  type Range,
} from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { EntryType } from '../../core/entry';
import type {
  ContextDocument,
  ContextEntry,
  ContextSection,
  Problem,
  ProblemCode,
  Span,
} from '../../core/context/model';
import { describeState, type LocalShareState } from './share-states';

const SYMBOL_KINDS: Readonly<Record<EntryType, SymbolKind>> = {
  decision: SymbolKind.Event,
  learning: SymbolKind.Key,
  convention: SymbolKind.Constant,
  task: SymbolKind.Boolean,
};

const SEVERITIES: Readonly<Record<ProblemCode, DiagnosticSeverity>> = {
  'missing-field': DiagnosticSeverity.Warning,
  placeholder: DiagnosticSeverity.Warning,
  'malformed-heading': DiagnosticSeverity.Warning,
  'duplicate-id': DiagnosticSeverity.Error,
  'unclosed-comment': DiagnosticSeverity.Warning,
  'unclosed-fence': DiagnosticSeverity.Warning,
};

export function rangeOf(text: TextDocument, span: Span): Range {
  return { start: text.positionAt(span.start), end: text.positionAt(span.end) };
}

function entrySymbol(text: TextDocument, entry: ContextEntry): DocumentSymbol {
  return {
    name: entry.title === '' ? '(no title)' : entry.title,
    detail: entry.date ?? '',
    kind: SYMBOL_KINDS[entry.type],
    range: rangeOf(text, entry.span),
    selectionRange: rangeOf(text, entry.titleSpan),
  };
}

const holds = (outer: Span, inner: Span): boolean => outer.start <= inner.start && inner.end <= outer.end;

/** Entries below the innermost section that holds them; sections below their own parents. */
export function symbolsOf(text: TextDocument, document: ContextDocument): DocumentSymbol[] {
  const top: DocumentSymbol[] = [];
  const open: { section: ContextSection; children: DocumentSymbol[] }[] = [];
  const items = [
    ...document.sections.map((section) => ({ at: section.span, section, entry: undefined })),
    ...document.entries.map((entry) => ({ at: entry.span, section: undefined, entry })),
  ].sort((a, b) => a.at.start - b.at.start);
  for (const { at, section, entry } of items) {
    for (let last = open.at(-1); last !== undefined && !holds(last.section.span, at); last = open.at(-1)) open.pop();
    const siblings = open.at(-1)?.children ?? top;
    if (entry !== undefined) siblings.push(entrySymbol(text, entry));
    else {
      const children: DocumentSymbol[] = [];
      siblings.push({
        name: section.title === '' ? '(no title)' : section.title,
        kind: SymbolKind.Namespace,
        range: rangeOf(text, section.span),
        selectionRange: rangeOf(text, section.titleSpan),
        children,
      });
      open.push({ section, children });
    }
  }
  return top;
}

export function foldsOf(text: TextDocument, document: ContextDocument): FoldingRange[] {
  return [...document.sections, ...document.entries]
    .map(({ span }) => rangeOf(text, span))
    .filter(({ start, end }) => end.line > start.line)
    .map(({ start, end }) => ({ startLine: start.line, endLine: end.line, kind: FoldingRangeKind.Region }));
}

export function diagnosticsOf(text: TextDocument, problems: readonly Problem[]): Diagnostic[] {
  return problems.map((problem) => ({
    range: rangeOf(text, problem.span),
    severity: SEVERITIES[problem.code],
    code: problem.code,
    source: 'ctx Hub',
    message: problem.message,
  }));
}

function lensTitle(state: LocalShareState): string {
  switch (state.kind) {
    case 'local':
      return 'Share';
    case 'shared':
      return `Shared as #${state.sequence}`;
    case 'pending':
      return 'Pending';
    case 'changed':
      return `Share again · changed since #${state.sequence}`;
    case 'refused':
      return 'Share again · refused';
  }
}

/** The command that a click runs gets the file and where in it the entry begins. */
export function lensesOf(
  text: TextDocument,
  document: ContextDocument,
  stateOf: (entry: ContextEntry) => LocalShareState,
): CodeLens[] {
  return document.entries.map((entry) => ({
    range: rangeOf(text, { start: entry.span.start, end: entry.span.start }),
    command: {
      title: lensTitle(stateOf(entry)),
      tooltip: describeState(stateOf(entry)),
      command: 'ctxHub.shareEntry',
      arguments: [{ uri: text.uri, offset: entry.span.start }],
    },
  }));
}
