/** A person at a window: keyboard and mouse, and eyes for what is on the screen. */
import fs from 'node:fs';
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { until } from '../../support/processes';

const DEADLINE_MS = 60_000;

const PALETTE_PATIENCE_MS = 5_000;
/** Until then a click on a row has had its effect, or was lost. */
const CLICK_TAKES_MS = 10_000;

function isShown(what: Locator, withinMs: number): Promise<boolean> {
  return what.waitFor({ timeout: withinMs }).then(
    () => true,
    () => false,
  );
}

export class Driver {
  constructor(
    readonly page: Page,
    private readonly shots: string,
  ) {
    page.setDefaultTimeout(DEADLINE_MS);
  }

  async screenshot(name: string): Promise<void> {
    fs.mkdirSync(this.shots, { recursive: true });
    // A window behind another one is not painted.
    await this.page.bringToFront();
    await this.page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    // What moves is shown where it comes to rest.
    await this.page.screenshot({ path: path.join(this.shots, `${name}.png`), animations: 'disabled' });
  }

  /** The workbench is there and takes keys. */
  async ready(): Promise<void> {
    await this.page.locator('.monaco-workbench .statusbar').waitFor();
  }

  async trust(yes: boolean): Promise<void> {
    const dialog = this.page.locator('.monaco-dialog-box');
    await dialog.waitFor();
    await dialog.locator('.monaco-button', { hasText: yes ? /^Yes/ : /^No/ }).click();
    await dialog.waitFor({ state: 'detached' });
  }

  /** Runs a command of ours by its title. */
  async palette(title: string): Promise<void> {
    const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: `ctx Hub: ${title}` }).first();
    await until(
      `the palette has "${title}"`,
      async () => {
        await this.page.keyboard.press('F1');
        await this.input.waitFor();
        await this.page.keyboard.insertText(`ctx Hub: ${title}`);
        if (await isShown(row, PALETTE_PATIENCE_MS)) return true;
        // It lists what was there when it was opened: an extension that has just come is in the next one.
        await this.page.keyboard.press('Escape');
        return false;
      },
      DEADLINE_MS,
    );
    await this.page.keyboard.press('Enter');
  }

  /** Opens a file of the workspace by its name. */
  async openFile(name: string): Promise<void> {
    await this.page.keyboard.press('Control+P');
    await this.input.waitFor();
    await this.page.keyboard.insertText(name);
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first().waitFor();
    await this.page.keyboard.press('Enter');
    await this.page.locator('.tab.active', { hasText: name }).waitFor();
    await this.page.locator('.editor-instance .monaco-editor.focused').first().waitFor();
  }

  /** A question that must be answered first. */
  dialog(text: string): Locator {
    return this.page.locator('.monaco-dialog-box', { hasText: text });
  }

  async clickDialog(label: string): Promise<void> {
    const box = this.page.locator('.monaco-dialog-box');
    await box.locator('.monaco-button', { hasText: label }).click();
    await box.waitFor({ state: 'detached' });
  }

  /** Walks through the menu behind the right button of the mouse. */
  async contextMenu(target: Locator, ...labels: readonly string[]): Promise<void> {
    await target.click({ button: 'right' });
    for (const label of labels) {
      const item = this.page.locator('.monaco-menu .action-item', { hasText: label }).last();
      await item.waitFor();
      await item.click();
    }
  }

  get input(): Locator {
    return this.page.locator('.quick-input-widget:visible input[type=text]').first();
  }

  /** Answers the steps of a dialog one by one; each is told by its prompt. */
  async answer(steps: readonly (readonly [prompt: string, text: string])[]): Promise<void> {
    for (const [prompt, text] of steps) {
      await this.page.locator('.quick-input-widget:visible', { hasText: prompt }).waitFor();
      await this.page.keyboard.insertText(text);
      await this.page.keyboard.press('Enter');
    }
  }

  /** Chooses from a list by keyboard. */
  async choose(label: string): Promise<void> {
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: label }).first().waitFor();
    await this.page.keyboard.insertText(label);
    await this.page.keyboard.press('Enter');
  }

  /** Ticks or unticks lines of a list, and is done with it. */
  async toggle(...labels: readonly string[]): Promise<void> {
    for (const label of labels) {
      const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: label }).first();
      const box = row.locator('[role=checkbox], input[type=checkbox]').first();
      const before = await box.isChecked();
      await box.click();
      await until(`"${label}" is another way`, async () => (await box.isChecked()) !== before);
    }
    await this.page.locator('.quick-input-widget:visible .monaco-button', { hasText: 'OK' }).click();
    await this.page.locator('.quick-input-widget:visible').waitFor({ state: 'detached' });
  }

  async openFeed(): Promise<void> {
    if (await this.title(/shared feed/i).isVisible()) return;
    await this.page.locator('.activitybar .action-item a[aria-label^="ctx Hub"]').click();
    await this.title(/shared feed/i).waitFor();
  }

  /** The heading of the side bar. */
  title(pattern: RegExp): Locator {
    return this.page.locator('.sidebar .title-label', { hasText: pattern });
  }

  /** The editor's status item of ours, once it says so. */
  async status(pattern: RegExp): Promise<void> {
    await this.page.locator('.statusbar-item a', { hasText: pattern }).first().waitFor();
  }

  row(title: string): Locator {
    return this.page.locator('.sidebar .monaco-list-row', { hasText: title }).first();
  }

  /**
   * A button at the end of a row, which is there while the mouse is. The workbench makes it anew when the view changes, and a
   * click that meets this is lost: then it is clicked again.
   */
  async clickRowAction(title: string, label: string, isDone: () => boolean): Promise<void> {
    for (let clicks = 0; clicks < 3; clicks++) {
      await this.row(title).hover();
      await this.row(title).locator(`.action-label[aria-label*="${label}"]`).click();
      if (await until(label, isDone, CLICK_TAKES_MS).catch(() => false)) return;
    }
    throw new Error(`${label} did nothing, three times`);
  }

  welcome(text: string): Locator {
    return this.page.locator('.sidebar .welcome-view-content', { hasText: text }).first();
  }

  async clickWelcome(label: string): Promise<void> {
    await this.page.locator('.sidebar .welcome-view-content .monaco-button', { hasText: label }).first().click();
  }

  toasts(text: string): Locator {
    return this.page.locator('.notification-toast', { hasText: text });
  }

  async clickToast(text: string, label: string): Promise<void> {
    await this.toasts(text).locator('.monaco-button', { hasText: label }).click();
  }

  async clearToasts(): Promise<void> {
    const toast = this.page.locator('.notification-toast').first();
    while (await toast.isVisible()) {
      await toast.hover();
      await toast.locator('.action-label[aria-label^="Clear Notification"]').click();
    }
  }
}
