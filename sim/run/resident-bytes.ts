/** How much memory this process holds. */

/** Node reads it from a file of /proc, so it needs a descriptor; a figure beside the point must not end a run. */
export function residentBytes(): number {
  try {
    return process.memoryUsage.rss();
  } catch {
    // No descriptor free at this moment: the next second asks again.
    return 0;
  }
}
