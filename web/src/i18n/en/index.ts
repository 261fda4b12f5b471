import admin from './admin.json';
import callout from './callout.json';
import common from './common.json';
import join from './join.json';
import lock from './lock.json';
import officer from './officer.json';
import ready from './ready.json';
import responder from './responder.json';
import rooms from './rooms.json';
import settings from './settings.json';
import shifts from './shifts.json';
import trouble from './trouble.json';
import words from './words.json';

export default {
  admin,
  callout,
  common,
  join,
  lock,
  officer,
  ready,
  responder,
  rooms,
  settings,
  shifts,
  trouble,
  words,
};
