import { hostname } from 'node:os';
import { join } from 'node:path';
import pino, { type Level, type Logger } from 'pino';
import type { LogLevel } from '../config/schema.js';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';
import { plain } from '../text.js';
import type { Peer } from '../transport/transport.js';
import { DailyFile, fileOfDay, logFolder } from './daily-file.js';

/*
 * The text log, twice: `[subsystem] message` for whoever watches, and JSON lines in a file a day, in the fields that clients of
 * the protocol read (protocol.md §8.6 logs.tail). No credential is ever in a message; what strangers say is capped and stripped.
 */

export interface LoggingOptions {
  readonly level: LogLevel;
  /** One file for all days, instead of one a day in the temporary folder; false: none at all. */
  readonly file?: string | false | undefined;
  readonly temporary: string;
  readonly clock: Clock;
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

/** A connection that was never let in, and how it ended. */
export interface ClosedBeforeConnect {
  readonly connection: string;
  readonly peer: Peer;
  readonly close: { readonly code: number; readonly reason: string };
}

/** One part of the gateway that has something to say. */
export class Subsystem {
  constructor(
    private readonly name: string,
    private readonly json: Logger | undefined,
    private readonly isOn: (level: Level) => boolean,
    private readonly show: (level: Level, line: string) => void,
  ) {}

  debug(message: string): void {
    this.say('debug', message);
  }

  info(message: string): void {
    this.say('info', message);
  }

  warn(message: string): void {
    this.say('warn', message);
  }

  error(message: string): void {
    this.say('error', message);
  }

  private say(level: Level, message: string): void {
    if (!this.isOn(level)) return;
    const line = plain(message, limits.log.lineChars) ?? '';
    this.show(level, `[${this.name}] ${line}`);
    this.json?.[level](line);
  }
}

const IDS: { readonly [level: string]: number } = { trace: 1, debug: 2, info: 3, warn: 4, error: 5, fatal: 6 };

export class Logging {
  readonly gateway: Subsystem;
  readonly ws: Subsystem;
  readonly canvas: Subsystem;
  readonly heartbeat: Subsystem;
  readonly health: Subsystem;
  /** Where the file of today is; undefined if there is none. */
  readonly file: DailyFile | undefined;
  private lines = 0;
  private suppressed = 0;
  private readonly stopWindow: () => void;

  constructor(private readonly options: LoggingOptions) {
    this.file = openFile(options);
    this.gateway = this.subsystem('gateway');
    this.ws = this.subsystem('ws');
    this.canvas = this.subsystem('canvas');
    this.heartbeat = this.subsystem('heartbeat');
    this.health = this.subsystem('health-monitor');
    this.stopWindow = options.clock.every(limits.refusals.windowMs, () => this.turn());
  }

  /** The line by which people find out who knocks and why it was closed (guide: WebSocket Connection Failures). */
  closedBeforeConnect({ connection, peer, close }: ClosedBeforeConnect): void {
    if (++this.lines > limits.refusals.logLines) return this.leftOut(1);
    const said = (text: string): string => plain(text, limits.log.untrustedChars) ?? 'n/a';
    const remote = peer.hostSocket ? 'gateway.sock' : said(peer.address);
    this.ws.warn(
      `closed before connect conn=${connection} remote=${remote} fwd=${said(peer.forwardedFor)} origin=${said(peer.origin)} host=${said(peer.host)} ua=${said(peer.userAgent)} code=${close.code} reason=${said(close.reason)}`,
    );
  }

  /** So many connections were closed before connect and get no line of their own. */
  leftOut(connections: number): void {
    this.suppressed += connections;
  }

  close(): void {
    this.stopWindow();
    this.turn();
    this.file?.close();
  }

  private turn(): void {
    this.lines = 0;
    if (this.suppressed > 0)
      this.ws.warn(
        `${this.suppressed} more connections were closed before connect; those on record: openclaw events list --type connection.refused`,
      );
    this.suppressed = 0;
  }

  private subsystem(name: string): Subsystem {
    const { level, clock, out, err } = this.options;
    const threshold = pino.levels.values[level] ?? Number.POSITIVE_INFINITY;
    const json = this.file && jsonLogger(name, clock, this.file);
    return new Subsystem(
      name,
      json,
      (wanted) => (pino.levels.values[wanted] ?? 0) >= threshold,
      (wanted, line) => (wanted === 'warn' || wanted === 'error' ? err(line) : out(line)),
    );
  }
}

const openFile = ({ file, temporary, clock, err }: LoggingOptions): DailyFile | undefined => {
  let told = false;
  const onFault = (error: unknown): void => {
    if (!told) err(`[gateway] the log file cannot be written: ${(error as Error).message}`);
    told = true;
  };
  if (file === false) return undefined;
  if (file !== undefined)
    return new DailyFile(
      () => file,
      () => clock.now(),
      onFault,
    );
  const folder = logFolder(temporary);
  return folder === undefined
    ? undefined
    : new DailyFile(
        (day) => join(folder, fileOfDay(day)),
        () => clock.now(),
        onFault,
      );
};

const jsonLogger = (name: string, clock: Clock, file: DailyFile): Logger => {
  const subsystem = JSON.stringify({ subsystem: name });
  const host = hostname();
  return pino(
    {
      level: 'trace',
      base: { 0: subsystem },
      messageKey: '1',
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: {
        level: (label) => ({
          _meta: {
            name: subsystem,
            parentNames: ['openclaw'],
            hostname: host,
            runtime: 'node',
            logLevelId: IDS[label],
            logLevelName: label.toUpperCase(),
          },
        }),
      },
    },
    file,
  );
};
