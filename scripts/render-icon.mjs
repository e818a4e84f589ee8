// Renders media/icon.svg as media/icon.png (256 × 256) with a Chromium. Run it after a change of the drawing.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ensureChrome } from './vscode-server.mjs';

const SIZE = 256;
const media = path.resolve(import.meta.dirname, '../media');
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'ctx-icon-'));
const page = path.join(scratch, 'icon.html');
const svg = fs.readFileSync(path.join(media, 'icon.svg'), 'utf8');
fs.writeFileSync(page, `<style>body{margin:0}svg{display:block;width:${SIZE}px;height:${SIZE}px}</style>${svg}`);
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--hide-scrollbars',
  '--default-background-color=00000000',
];
const done = spawnSync(
  ensureChrome(console.error),
  [
    ...flags,
    `--user-data-dir=${path.join(scratch, 'profile')}`,
    `--window-size=${SIZE},${SIZE}`,
    `--screenshot=${path.join(media, 'icon.png')}`,
    `file://${page}`,
  ],
  { stdio: 'ignore' },
);
fs.rmSync(scratch, { recursive: true, force: true });
process.exit(done.status ?? 1);
