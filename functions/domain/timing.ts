/**
 * Every time limit of the system, once. Functions and stack read them here, the host program is given its own at
 * synthesis (`lib/host-bounds.ts`), and the dry run's worst case is computed from them. How often something is polled
 * stays with the poller unless somebody else relies on it.
 */

/** Longest life of a fault: one Lambda watches a whole run, and a Lambda lives 900 s. */
export const TTL_SECONDS = { min: 1, max: 600 } as const;
/** A host whose view of its lease has not advanced for this long reverts. */
export const LEASE_GRACE_SECONDS = { min: 2, max: 30, default: 3 } as const;
/** How long a store may take to be healthy after a rollback. */
export const RECOVERY_SECONDS = { min: 5, max: 600, default: 60 } as const;
/** From the announcement of a start to the start. */
export const LEAD_SECONDS = { min: 0, max: 600, default: 0 } as const;
/** How often Prometheus may scrape what the guardrails read. */
export const SCRAPE_INTERVAL_SECONDS = { min: 1, max: 30, default: 1 } as const;
/** A rate over fewer scrapes rests on too few samples once one is missing. */
export const SCRAPES_IN_RANGE = 4;
/** Age from which a reading is a breach: one scrape may be missing, and the next one a second late. */
export function maxAgeSecondsOf(scrapeIntervalSeconds: number): number {
  return 2 * scrapeIntervalSeconds + 1;
}
/** By how much the clocks of Prometheus and ours may differ: an answer could be so much older than it says. */
export const MAX_CLOCK_DIFFERENCE_MS = 1000;

/** How often a call is tried, how long one attempt may take, and, where something waits for that, all of them. */
interface Patience {
  attempts: number;
  timeoutMs: number;
  withinMs?: number;
}

/** How patient each kind of call is. A call that hangs is worse than one that fails. */
export const PATIENCE = {
  ordinary: { attempts: 3, timeoutMs: 3000 },
  /** Hosts revert by themselves when no beat arrives, so nothing about a lease is waited for long. */
  lease: { attempts: 3, timeoutMs: 600, withinMs: 2000 },
  /** One passing evaluation is one beat, so it is sent once: late is as bad as never. */
  beat: { attempts: 1, timeoutMs: 700, withinMs: 700 },
  /** The log is the record, the event is news: an append does not wait long for it. */
  event: { attempts: 2, timeoutMs: 1000 },
  /** A late heartbeat would speak for an evaluation that is long past. */
  heartbeat: { attempts: 1, timeoutMs: 2000 },
  admission: { attempts: 1, timeoutMs: 12_000 },
  /** Longer than a start may take (`ANSWER_WITHIN_MS`), and shorter than the function that waits for it. */
  start: { attempts: 1, timeoutMs: 28_000 },
  /** The same, by who waits at the API for that function. */
  schedule: { attempts: 1, timeoutMs: 27_500 },
  /** A log may be megabytes, and nobody waits. */
  export: { attempts: 5, timeoutMs: 30_000 },
} as const satisfies Record<string, Patience>;
/** To connect, of any attempt. */
export const CONNECT_TIMEOUT_MS = 1000;
/** One query of telemetry, one attempt: a guard that waits for its eyes is blind meanwhile. */
export const QUERY_TIMEOUT_MS = 700;
/**
 * While a fault lives, the store itself is asked whether it may go on: how often, and how old an answer may be. A broker that
 * hangs costs a look its 1 s to connect and the 1.5 s of a request, beside all others and on both of its connections at once;
 * so three such looks in a row fit, of which the middle one may have failed.
 */
export const STORE_LOOK = { everyMs: 2000, maxAgeSeconds: 8 } as const;
/** Of a query about the past, for which no beat waits. */
export const HISTORY_TIMEOUT_MS = 5000;
/** A rollback, an abort or an alarm does not wait longer than this for its own record. */
export const RECORD_DEADLINE_MS = 3000;

/** Engaging a kill switch waits no longer for its record before it acts. */
export const KILL_SWITCH_RECORD_MS = 100;
/** What is done after the switch itself, of `ANSWER_WITHIN_MS`: leases, FIS and hosts, side by side. */
export const KILL_SWITCH_STEP_MS = 8000;
/** A host's answer to the revert is waited for no longer: its fence may take longer. */
export const KILL_SWITCH_HOST_MS = 3000;
/** A released lease whose rollback has not begun by then: its execution hangs. */
export const ROLLBACK_BEGINS_MS = 60_000;

/** What the host program is given. Seconds on the boot clock. */
export const HOST = {
  /** From one read of the lease to the next. */
  pollSeconds: 0.5,
  pollTimeoutSeconds: 0.4,
  /** From the start of the watchdog until its lease was seen held, granted and advancing twice. */
  armingSeconds: 10,
  /** The inject command waits for the watchdog's word. */
  injectAnswerSeconds: 14,
  /** The longest that the removal of a fault may take before it is a failure. */
  revertSeconds: 5,
  /** Longest time clients are kept away from a node whose role is in doubt after its fault was lifted. */
  fenceSeconds: 15,
} as const;
/** Of the script that SSM runs on a host: it waits for the arming or for the fence, and is never cut short. */
export const RUN_COMMAND_TIMEOUT_SECONDS = 60;
/** Of the command that starts a store which had ended: the host waits 2 s for it. */
export const START_STORE_DEADLINE_MS = 10_000;
/** SSM's smallest: a command that did not start within this never will. */
export const RUN_COMMAND_DELIVERY_SECONDS = 30;

/** Of FIS: the alarm over the guard's heartbeat must be OK before a start, then the experiment must run. */
export const FIS_WATCHED_DEADLINE_MS = 30_000;
export const FIS_RUNNING_DEADLINE_MS = 60_000;

/** For the guard and the probe to be there before the first fault. */
export const OBSERVED_DEADLINE_MS = 15_000;
/** The probe was started just before: it connects, writes, and finds its write on the impacted nodes. */
export const PROBE_READY_DEADLINE_MS = 8000;
/** Longer than the injection waits for it: a later proof would be none. */
export const PROBE_PROOF_DEADLINE_MS = 15_000;
/** Longest time between two operations of the probe: what a client would have seen in a longer one nobody knows. */
export const PROBE_MAX_GAP_MS = 500;
/** With checks that the probe measures: until it has seen a whole window before the fault. */
export const PROBE_BASELINE_MS = 7000;
/** With a hypothesis: how long everybody looks on after the recovery, to see what windows still hold of the time before. */
export const LOOK_ON_SECONDS = 8;
/** The same with checks over longer ranges: for the verdict, not for the probe. */
export const MAX_LOOK_ON_SECONDS = 120;
/** Of the probe's life: to read back what was acknowledged, and to write what it measured. */
export const PROBE_LAST_ACT_MS = 40_000;
/** Lambda drops an asynchronous event that waited so long; its smallest. A probe that comes late ends by itself. */
export const PROBE_EVENT_AGE_SECONDS = 60;
/** A host's answer to inject, and SSM's delivery. */
export const HOST_INJECT_DEADLINE_MS = 40_000;
/** FIS's two deadlines, and calls. */
export const FIS_INJECT_DEADLINE_MS = 100_000;
/** Of a start, as a rule: the looks at store and targets, guard and probe, up to the order to inject. */
export const STEPS_BEFORE_INJECTION_SECONDS = 30;
/** A lease under which nothing is injected is not held for ever: what *Inject fault* may take, and a little. */
export const INJECTION_DEADLINE_MS = 60_000;
export const FIS_INJECTION_DEADLINE_MS = 150_000;
/** The guard stops by itself while it can still release the lease and write why. */
export const GUARD_LAST_ACT_MS = 8000;
/** Of these, for a kill switch that it is engaging: the record, the row with all its attempts, and the record again. */
export const GUARD_ENGAGING_MS = 6000;

/** The host's removal of the fault and its fence, and a busy agent as long again; beyond this a person is needed. */
export const HOST_ROLLBACK_DEADLINE_MS = 40_000;
/** An instance may take minutes to stop before it can be started again, and only then can its host be asked. */
export const FIS_ROLLBACK_DEADLINE_MS = 180_000;
/** For a source to be scraped once more after the recovery, and the calls between. */
export const LOOK_BACK_SECONDS = maxAgeSecondsOf(SCRAPE_INTERVAL_SECONDS.max) + 4 + HISTORY_TIMEOUT_MS / 1000;
/** The verdict waits this long for the probe's measurement. */
export const PROBE_MEASURED_DEADLINE_MS = 45_000;

/** API Gateway gives up after 29 s, of which a cold start takes its part; an answer of ours must come before. */
export const ANSWER_WITHIN_MS = 26_000;
/** Of these, from the request on: what is not known, taken or given back by then counts as unknown. */
export const START_BY_MS = { admitted: 17_000, claimed: 21_000, givenBack: 23_500 } as const;
/** An abort looks for an admission under way for so long: longer than any, whatever the clocks of two functions say. */
export const ADMISSION_KNOWN_MS = 60_000;
/** Of `ANSWER_WITHIN_MS`, for the fault to be in place. */
export const INJECTED_WAIT_MS = 20_000;
/** Another request with the same id may be between its lock and its ADMITTED for about this long. */
export const DUPLICATE_WAIT_MS = 3000;
/** A start that a schedule could not make within this long, by Scheduler and then by Lambda's queue each, is given up. */
export const SCHEDULE_EVENT_AGE_SECONDS = 300;
export const SCHEDULE_RETRIES = 2;
/** Whoever finds that another one asks for the same time of a schedule waits so long for what comes of it. */
export const SCHEDULE_TURN_WAIT_MS = 20_000;
/** A turn is void after this: whoever has it is dead, and so is the start that he asked for. */
export const SCHEDULE_TURN_MS = 60_000;
/** What a run may take beside its duration and its recovery: steps before the fault, rollback, look back, conclusion. */
export const RUN_OVERHEAD_SECONDS = 240 + MAX_LOOK_ON_SECONDS + LOOK_BACK_SECONDS;
/** FIS may take so much longer to begin and to end a fault. */
export const FIS_OVERHEAD_SECONDS = 300;

/** Time limits of the functions, seconds. */
const MARGIN_SECONDS = 30;
export const FUNCTION_SECONDS = {
  /** The answer of the API, and of everything that is only a few calls. */
  short: 30,
  api: 29,
  admit: 15,
  /** The longest lead, and one admission. */
  awaitStart: LEAD_SECONDS.max + 15 + MARGIN_SECONDS,
  checkSteadyState: 45,
  sweep: 55,
  /** The longest fault, what may lie between the first beat and the injection, and its last act. */
  guard: TTL_SECONDS.max + FIS_INJECTION_DEADLINE_MS / 1000 + MARGIN_SECONDS,
  /** Lambda's longest. */
  probe: 900,
  /** Waiting for guard and probe, for FIS to confirm, and the calls between. */
  inject: (OBSERVED_DEADLINE_MS + FIS_INJECT_DEADLINE_MS) / 1000 + 35,
  rollBack: FIS_ROLLBACK_DEADLINE_MS / 1000 + MARGIN_SECONDS,
  /** The longest recovery, the last look at the store, and the looks on and back. */
  verifyRecovery: RECOVERY_SECONDS.max + MAX_LOOK_ON_SECONDS + LOOK_BACK_SECONDS + 2 * MARGIN_SECONDS,
  conclude: 2 * (PROBE_MEASURED_DEADLINE_MS / 1000),
  /** They walk through a part of the log. */
  audit: 300,
} as const;

/** How long the step behind each of these entries may take before its run counts as dead: its function's, and a little. */
export const NEXT_STEP_MS = {
  rollBack: (FUNCTION_SECONDS.rollBack + MARGIN_SECONDS) * 1000,
  verifyRecovery: (FUNCTION_SECONDS.verifyRecovery + 40) * 1000,
  conclude: (MAX_LOOK_ON_SECONDS + LOOK_BACK_SECONDS + FUNCTION_SECONDS.conclude + 2 * MARGIN_SECONDS) * 1000,
} as const;

/** AMP evaluates alerting rules no more often than this. */
export const RULE_EVALUATION_SECONDS = 30;
/** So much later than it was scraped a sample may reach who evaluates rules: remote write sends every 5 s, and tries again. */
export const LATE_SAMPLE_SECONDS = 10;

/** The guard puts a heartbeat at most this often. Two in each period: one that is lost or late makes no alarm. */
export const HEARTBEAT_EVERY_SECONDS = 5;
/** CloudWatch's shortest period, and how often it evaluates an alarm of that period. */
export const HEARTBEAT_PERIOD_SECONDS = 10;
/** Two, because a heartbeat that is still on its way leaves the newest period empty. */
export const HEARTBEAT_EMPTY_PERIODS = 2;
/**
 * Longest time from the last heartbeat to the alarm that stops a FIS experiment: the rest of its own period, the empty
 * ones, and the wait for the next evaluation. It is about 30 s as a rule.
 */
export const HEARTBEAT_BOUND_SECONDS = HEARTBEAT_PERIOD_SECONDS * (1 + HEARTBEAT_EMPTY_PERIODS + 1);
