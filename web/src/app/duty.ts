import { alarm } from '../duty/alarm.svelte';
import { callouts } from '../duty/callouts.svelte';
import { outbox } from '../duty/outbox.svelte';
import { policy } from '../duty/policy.svelte';
import { engine } from '../engine/client';
import { readiness } from '../duty/readiness.svelte';
import { OFFICERS, RESPONDERS, type Role } from './roles';
import { router } from './router.svelte';

let started = false;

/** Starts what a device on duty does by itself: it watches callouts, rings, and sends what waits. */
export function startDuty(role: Role | undefined): void {
  const officer = role !== undefined && OFFICERS.includes(role);
  const responder = role !== undefined && RESPONDERS.includes(role);
  if (started || !(officer || responder)) return;
  started = true;
  void policy.start();
  callouts.watch();
  // While the engine is unlocked its connection tells at once; without it the polling does.
  engine.listen(({ event }) => {
    if (event === 'notice' || event === 'connected') callouts.look();
  });
  if (officer) void outbox.start();
  if (responder) {
    alarm.start();
    void readiness.renew();
  }
  navigator.serviceWorker?.addEventListener('message', (event) => {
    if (event.data?.tell === 'push') callouts.look();
    if (event.data?.tell === 'open') router.go(String(event.data.place));
  });
}
