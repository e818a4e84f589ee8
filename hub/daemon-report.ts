/** What the process behind `ctx hub start --daemon` tells its parent: that it serves, or why not. Then they part. */
import * as z from 'zod';
import { HubError, LOCAL_CODES, WIRE_CODES } from '../core/errors';

const reportSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('serving'), text: z.string() }),
  z.object({ kind: z.literal('failed'), code: z.enum([...WIRE_CODES, ...LOCAL_CODES]), message: z.string() }),
]);

export type DaemonReport = z.infer<typeof reportSchema>;

export interface ReportToParent {
  readonly serving: (text: string) => void;
  readonly failed: (error: HubError) => void;
}

export function parseReport(value: unknown): DaemonReport | undefined {
  const parsed = reportSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

export function reportToParent(): ReportToParent {
  // A parent that went away must not take the hub with it.
  const send = (report: DaemonReport): void => {
    if (process.send === undefined || !process.connected) return;
    process.send(report, undefined, {}, () => {
      if (process.connected) process.disconnect();
    });
  };
  return {
    serving: (text) => send({ kind: 'serving', text }),
    failed: (error) => send({ kind: 'failed', code: error.code, message: error.message }),
  };
}

export function failureOf(report: Extract<DaemonReport, { kind: 'failed' }>): HubError {
  return new HubError(report.code, report.message);
}
