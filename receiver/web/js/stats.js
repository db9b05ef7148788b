/** The receiver's statistics, read again and again while the page is in sight. */
import { ApiError, getJson } from './api.js';

const EVERY_MS = 2000;

export class Stats {
  /**
   * @param {object} hooks
   * @param {(stats: any, recovered: boolean) => void} hooks.onStats
   * @param {(error: ApiError) => void} hooks.onError
   */
  constructor(hooks) {
    this.hooks = hooks;
    this.failed = false;
    this.timer = 0;
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.poll();
    });
    this.poll();
  }

  async poll() {
    clearTimeout(this.timer);
    this.timer = 0;
    try {
      const stats = await getJson('stats');
      const recovered = this.failed;
      this.failed = false;
      this.hooks.onStats(stats, recovered);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.failed = true;
      this.hooks.onError(error);
    } finally {
      clearTimeout(this.timer);
      if (!document.hidden) this.timer = setTimeout(() => this.poll(), EVERY_MS);
    }
  }
}
