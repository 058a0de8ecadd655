import { messageOf } from "../errors.ts";
import type { Container } from "./container.ts";
import type { Tools } from "./tools.ts";

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 60_000;
/** A program that ran this long has started well: the delay begins anew. */
const STEADY_MS = 10_000;

/** Whether a container's policy wants it back after this exit. */
export function shouldRestart(container: Container, exitCode: number): boolean {
  const { state, hostConfig } = container.record;
  if (state.stoppedByUser) return false;
  const policy = hostConfig.RestartPolicy;
  switch (policy?.Name) {
    case "always":
    case "unless-stopped":
      return true;
    case "on-failure": {
      const most = policy.MaximumRetryCount ?? 0;
      return exitCode !== 0 && (most === 0 || state.restartCount < most);
    }
    default:
      return false;
  }
}

/**
 * Starts the container after a delay, which doubles with each restart in quick succession.
 *
 * @param ran how long it ran, in milliseconds
 * @param start starts the container, for who has its turn
 */
export function scheduleRestart(
  tools: Tools,
  container: Container,
  ran: number,
  start: () => Promise<void>,
): void {
  const delay = nextDelay(container.restartDelay, ran);
  container.restartDelay = delay;
  const timer = setTimeout(() => void restartNow(tools, container, start), delay); // restartNow() reports its failures
  timer.unref();
  container.restart = { timer, delay };
}

export function nextDelay(last: number, ran: number): number {
  if (last === 0 || ran >= STEADY_MS) return FIRST_DELAY_MS;
  return Math.min(last * 2, LONGEST_DELAY_MS);
}

/** Forgets a restart that is waited for. Returns whether there was one. */
export function cancelRestart(container: Container): boolean {
  if (container.restart === undefined) return false;
  clearTimeout(container.restart.timer);
  container.restart = undefined;
  return true;
}

async function restartNow(tools: Tools, container: Container, start: () => Promise<void>): Promise<void> {
  await tools.serial
    .run(container.id, async () => {
      // Somebody stopped, removed or started it while this waited for its turn.
      if (container.restart === undefined) return;
      const { restartCount } = container.record.state;
      await tools.registry.changeState(container, { restartCount: restartCount + 1 });
      await start();
    })
    .catch((error) => {
      tools.log.error("a container could not be restarted", { id: container.id, error: messageOf(error) });
    });
}
