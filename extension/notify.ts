/** Messages to the user. Text that came from elsewhere (titles, a hub's words) never becomes a link that acts. */
import * as vscode from 'vscode';
import { HubError } from '../core/errors';
import { oneLine } from './one-line';

const MAX_MESSAGE_LENGTH = 500;

export interface Offer {
  readonly title: string;
  readonly run: () => unknown;
}

export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

type Show = (message: string, ...titles: string[]) => Thenable<string | undefined>;

/** Resolves when the user has answered or closed the message, and what they chose has run. */
async function show(how: Show, message: string, offers: readonly Offer[]): Promise<void> {
  const chosen = await how(oneLine(message, MAX_MESSAGE_LENGTH), ...offers.map((offer) => offer.title));
  await offers.find((offer) => offer.title === chosen)?.run();
}

export const inform = (message: string, ...offers: Offer[]): Promise<void> =>
  show((text, ...titles) => vscode.window.showInformationMessage(text, ...titles), message, offers);

export const warn = (message: string, ...offers: Offer[]): Promise<void> =>
  show((text, ...titles) => vscode.window.showWarningMessage(text, ...titles), message, offers);

export const complain = (message: string, ...offers: Offer[]): Promise<void> =>
  show((text, ...titles) => vscode.window.showErrorMessage(text, ...titles), message, offers);

/** A quiet tick in the status bar: success needs no answer. */
export function tick(message: string): void {
  vscode.window.setStatusBarMessage(`$(check) ${oneLine(message)}`, 4_000);
}

/** A decision that must be taken before going on. */
export async function confirm(message: string, detail: string, yes: string): Promise<boolean> {
  const options = { modal: true, detail: oneLine(detail, MAX_MESSAGE_LENGTH) };
  return (await vscode.window.showWarningMessage(oneLine(message), options, yes)) === yes;
}

/** An operating fault is told in its own words; anything else is a bug and says so. */
export function isExpected(error: unknown): error is HubError {
  return error instanceof HubError;
}
