/** Where the lock of a hub's data directory is. */
import path from 'node:path';

export const hubLockPath = (dataDir: string): string => path.join(dataDir, 'hub.lock');
