import common from './common.json';
import settings from './settings.json';
import trouble from './trouble.json';

export default {
  common,
  settings,
  trouble,
};
