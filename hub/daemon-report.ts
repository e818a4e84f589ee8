/** What the process behind `ctx hub start --daemon` tells its parent: how far it is or what it waits for, then that it serves, or why not. Then they part. */
import * as z from 'zod';
import { HubError, LOCAL_CODES, WIRE_CODES } from '../core/errors';

const reportSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('reading'), done: z.number(), all: z.number() }),
  z.object({ kind: z.literal('waiting'), text: z.string() }),
  z.object({ kind: z.literal('serving'), text: z.string() }),
  z.object({ kind: z.literal('failed'), code: z.enum([...WIRE_CODES, ...LOCAL_CODES]), message: z.string() }),
]);

export type DaemonReport = z.infer<typeof reportSchema>;
/** The last word. */
export type DaemonOutcome = Exclude<DaemonReport, { kind: 'reading' | 'waiting' }>;

export interface ReportToParent {
  /** How much of the log was read; bytes. */
  readonly reading: (done: number, all: number) => void;
  /** For other nodes, before the cluster is complete. */
  readonly waiting: (text: string) => void;
  readonly serving: (text: string) => void;
  readonly failed: (error: HubError) => void;
}

export function parseReport(value: unknown): DaemonReport | undefined {
  const parsed = reportSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

export function reportToParent(): ReportToParent {
  // A parent that went away must not take the hub with it.
  const send = (report: DaemonReport, sent: () => void): void => {
    if (process.send === undefined || !process.connected) return;
    process.send(report, undefined, {}, sent);
  };
  const part = (): void => {
    if (process.connected) process.disconnect();
  };
  return {
    reading: (done, all) => send({ kind: 'reading', done, all }, () => undefined),
    waiting: (text) => send({ kind: 'waiting', text }, () => undefined),
    serving: (text) => send({ kind: 'serving', text }, part),
    failed: (error) => send({ kind: 'failed', code: error.code, message: error.message }, part),
  };
}

export function failureOf(report: Extract<DaemonReport, { kind: 'failed' }>): HubError {
  return new HubError(report.code, report.message);
}
