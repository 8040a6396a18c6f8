export {galleryImage, topImagesGallery, type GalleryImage, type GalleryOptions, type GalleryRow} from './gallery';
export {livePreview} from './livePreview';
export type {ShowOptions} from './options';
export {resultPage, type PageSection} from './page';
export {saveFigure} from './saveFigure';
export {bundleOf, show} from './show';
