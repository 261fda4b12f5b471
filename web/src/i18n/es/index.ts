import admin from './admin.json';
import board from './board.json';
import callout from './callout.json';
import common from './common.json';
import contacts from './contacts.json';
import details from './details.json';
import join from './join.json';
import lock from './lock.json';
import notices from './notices.json';
import officer from './officer.json';
import policy from './policy.json';
import ready from './ready.json';
import reports from './reports.json';
import responder from './responder.json';
import rooms from './rooms.json';
import rota from './rota.json';
import settings from './settings.json';
import shifts from './shifts.json';
import terms from './terms.json';
import trouble from './trouble.json';
import words from './words.json';

export default {
  admin,
  board,
  callout,
  common,
  contacts,
  details,
  join,
  lock,
  notices,
  officer,
  policy,
  ready,
  reports,
  responder,
  rooms,
  rota,
  settings,
  shifts,
  terms,
  trouble,
  words,
};
