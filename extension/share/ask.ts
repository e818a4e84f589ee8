/** Asks for values one after the other, with a way back. Nothing typed is lost to a click elsewhere. */
import * as vscode from 'vscode';
import type { FieldStep } from './fields';

type Answer =
  { readonly kind: 'value'; readonly value: string } | { readonly kind: 'back' } | { readonly kind: 'cancel' };

interface Place {
  readonly title: string;
  readonly step: number;
  readonly totalSteps: number;
  readonly value: string;
}

/** @returns why the text will not do, or `undefined` */
export type CheckValue = (step: FieldStep, value: string) => string | undefined;

const SKIP = 'Leave open';

interface Prompt extends vscode.QuickInput {
  readonly onDidTriggerButton: vscode.Event<vscode.QuickInputButton>;
  readonly onDidHide: vscode.Event<void>;
}

/** Shows the prompt until it settles; `listen` says what else settles it. */
function settle(prompt: Prompt, listen: (done: (answer: Answer) => void) => vscode.Disposable[]): Promise<Answer> {
  return new Promise((resolve) => {
    const subscriptions: vscode.Disposable[] = [];
    const done = (answer: Answer): void => {
      resolve(answer);
      vscode.Disposable.from(...subscriptions, prompt).dispose();
    };
    subscriptions.push(
      ...listen(done),
      prompt.onDidTriggerButton((button) => {
        if (button === vscode.QuickInputButtons.Back) done({ kind: 'back' });
      }),
      prompt.onDidHide(() => done({ kind: 'cancel' })),
    );
    prompt.show();
  });
}

function askText(field: FieldStep, place: Place, check: CheckValue): Promise<Answer> {
  const box = vscode.window.createInputBox();
  box.title = place.title;
  box.step = place.step;
  box.totalSteps = place.totalSteps;
  box.value = place.value;
  box.prompt = field.required ? field.prompt : `${field.prompt} (may stay empty)`;
  box.placeholder = field.example;
  box.ignoreFocusOut = true;
  box.buttons = place.step > 1 ? [vscode.QuickInputButtons.Back] : [];
  return settle(box, (done) => [
    box.onDidChangeValue(() => (box.validationMessage = undefined)),
    box.onDidAccept(() => {
      box.validationMessage = check(field, box.value);
      if (box.validationMessage === undefined) done({ kind: 'value', value: box.value.trim() });
    }),
  ]);
}

function askChoice(field: FieldStep, place: Place): Promise<Answer> {
  const pick = vscode.window.createQuickPick();
  pick.title = place.title;
  pick.step = place.step;
  pick.totalSteps = place.totalSteps;
  pick.placeholder = field.prompt;
  pick.ignoreFocusOut = true;
  pick.items = [...(field.choices ?? []), ...(field.required ? [] : [SKIP])].map((label) => ({ label }));
  pick.activeItems = pick.items.filter((item) => item.label === place.value);
  pick.buttons = place.step > 1 ? [vscode.QuickInputButtons.Back] : [];
  return settle(pick, (done) => [
    pick.onDidAccept(() => {
      const label = pick.selectedItems[0]?.label;
      if (label !== undefined) done({ kind: 'value', value: label === SKIP ? '' : label });
    }),
  ]);
}

export interface AskOptions {
  readonly title: string;
  readonly steps: readonly FieldStep[];
  /** What to start with; a step whose value is already good is asked all the same unless it is in `settled`. */
  readonly values: Readonly<Record<string, string>>;
  readonly settled: ReadonlySet<string>;
  readonly check: CheckValue;
}

/** @returns the values by name, or `undefined` when the user stopped */
export async function askFields(options: AskOptions): Promise<Readonly<Record<string, string>> | undefined> {
  const steps = options.steps.filter((step) => !options.settled.has(step.name));
  const values: Record<string, string> = { ...options.values };
  for (let at = 0; at < steps.length;) {
    const field = steps[at];
    if (field === undefined) break;
    const place = { title: options.title, step: at + 1, totalSteps: steps.length, value: values[field.name] ?? '' };
    const answer = await (field.choices === undefined ? askText(field, place, options.check) : askChoice(field, place));
    if (answer.kind === 'cancel') return undefined;
    if (answer.kind === 'back') at -= 1;
    else {
      values[field.name] = answer.value;
      at += 1;
    }
  }
  return values;
}
