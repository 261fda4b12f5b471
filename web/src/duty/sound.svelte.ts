/** The alarm's sound, made here: no file to load, nothing that a phone's media volume list would show. */
class Sound {
  #context: AudioContext | undefined;
  /** All tones go through it. */
  #out: GainNode | undefined;
  #ringing: { stop: () => void } | undefined;
  /** Whether this browser lets us make a sound without a touch first. */
  allowed = $state(false);

  constructor() {
    // Browsers allow sound after a touch: take the first one, whatever it is for.
    for (const event of ['pointerdown', 'keydown']) {
      addEventListener(event, () => void this.wake(), { passive: true, capture: true });
    }
  }

  /** Opens the way to the loudspeaker if the browser lets us, and says whether it did. */
  async wake(): Promise<boolean> {
    this.#context ??= new AudioContext({ latencyHint: 'interactive' });
    // Never settles while the browser waits for a touch.
    await Promise.race([this.#context.resume(), new Promise((resolve) => setTimeout(resolve, 500))]);
    this.allowed = this.#context.state === 'running';
    return this.allowed;
  }

  /** Rings until `stop`: two rising tones and a pause, as a person half asleep tells apart from a message. */
  ring(): void {
    if (this.#ringing !== undefined) return;
    let stopped = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const round = async (): Promise<void> => {
      if (stopped) return;
      if (touched()) navigator.vibrate?.([700, 200, 700]);
      if ((await this.wake()) && !stopped) this.#tones();
      if (!stopped) timer = setTimeout(() => void round(), 2200);
    };
    this.#ringing = {
      stop: () => {
        stopped = true;
        clearTimeout(timer);
      },
    };
    void round();
  }

  stop(): void {
    if (this.#ringing === undefined) return;
    this.#ringing.stop();
    this.#ringing = undefined;
    if (touched()) navigator.vibrate?.(0);
    // Takes what is already scheduled off the loudspeaker: the sound ends with the picture, and never comes back later.
    this.#out?.disconnect();
    this.#out = undefined;
    void this.#context?.suspend();
  }

  /** For the self-test: whether a sound would come. Without a touch yet, no browser says more than no. */
  async look(): Promise<void> {
    if (touched()) await this.wake();
  }

  /** One round, for the self-test. */
  async once(): Promise<boolean> {
    if (!(await this.wake())) return false;
    this.#tones();
    return true;
  }

  /** Two falling tones: something to look at, which nobody takes for a page. A page that rings goes before it. */
  async chime(): Promise<void> {
    if (this.#ringing !== undefined || !(await this.wake())) return;
    this.#tones([784, 523]);
  }

  #tones(pitches = [660, 880, 660, 880, 1040]): void {
    const context = this.#context;
    if (context === undefined) return;
    if (this.#out === undefined) (this.#out = context.createGain()).connect(context.destination);
    const out = this.#out;
    const begin = context.currentTime + 0.05;
    pitches.forEach((pitch, i) => {
      const tone = context.createOscillator();
      const level = context.createGain();
      const at = begin + i * 0.28;
      tone.type = 'triangle';
      tone.frequency.value = pitch;
      level.gain.setValueAtTime(0, at);
      level.gain.linearRampToValueAtTime(0.9, at + 0.02);
      level.gain.setValueAtTime(0.9, at + 0.2);
      level.gain.linearRampToValueAtTime(0, at + 0.26);
      tone.connect(level).connect(out);
      tone.start(at);
      tone.stop(at + 0.28);
    });
  }
}

/** Whether the person has touched this page since it was opened: browsers vibrate and play only then. */
function touched(): boolean {
  return navigator.userActivation?.hasBeenActive ?? true;
}

export const sound = new Sound();
