export function writeWorker(dist: string, source: string): void;
