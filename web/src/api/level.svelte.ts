/** The level of the server's API that this app was written for: `API_LEVEL` of the protocol. */
const LEVEL = 1;

/** Whether this version can still be used with the server, as the server said last. */
class Level {
  tooOld = $state(false);

  learn(lowestServed: number | undefined): void {
    this.tooOld = lowestServed !== undefined && lowestServed > LEVEL;
  }
}

export const level = new Level();
