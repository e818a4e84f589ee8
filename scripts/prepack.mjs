// Before `npm pack`: the bundles that the tarball holds.
import { build, checkNode, ensureInstalled } from './prepare.mjs';

checkNode();
ensureInstalled();
build();
