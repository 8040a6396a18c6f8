export {readGraphModelJson} from './read';
