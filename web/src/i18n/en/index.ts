import callout from './callout.json';
import common from './common.json';
import officer from './officer.json';
import ready from './ready.json';
import responder from './responder.json';
import settings from './settings.json';
import shifts from './shifts.json';
import trouble from './trouble.json';

export default {
  callout,
  common,
  officer,
  ready,
  responder,
  settings,
  shifts,
  trouble,
};
