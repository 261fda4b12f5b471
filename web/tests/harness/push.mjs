// Web Push without a push service: what one would deliver, given to the service worker through the DevTools protocol.

/** Delivers a message to the service worker of an origin, from any page of the same context. */
export async function deliver(page, origin, data) {
  const session = await page.context().newCDPSession(page);
  const registered = new Promise((resolve) => {
    session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const ours = registrations.find((one) => one.scopeURL.startsWith(origin) && !one.isDeleted);
      if (ours !== undefined) resolve(ours);
    });
  });
  await session.send('ServiceWorker.enable');
  const { registrationId } = await registered;
  await session.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data: JSON.stringify(data) });
  await session.detach();
}

/** The notifications that lie in the tray. */
export function shown(page) {
  return page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration();
    const all = await registration.getNotifications();
    return all.map(({ title, body, requireInteraction, tag }) => ({ title, body, requireInteraction, tag }));
  });
}

/** Waits until there are so many. */
export function showing(page, count) {
  return page.waitForFunction(
    async (count) => (await (await navigator.serviceWorker.getRegistration()).getNotifications()).length === count,
    count,
    { polling: 100 },
  );
}
