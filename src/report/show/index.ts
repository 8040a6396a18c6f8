export {
  galleryImage,
  topImagesGallery,
  type GalleryImage,
  type GalleryOptions,
  type GalleryRow,
  type TopGalleryOptions,
} from './gallery';
export {livePreview} from './livePreview';
export type {ShowOptions} from './options';
export {resultPage, type PageSection} from './page';
export {saveFigure, type SaveOptions} from './saveFigure';
export {bundleOf, show} from './show';
export {teaser, type Teaser, type TeaserOptions} from './teaser';
