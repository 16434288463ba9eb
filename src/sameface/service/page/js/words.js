// What went wrong, in the page's own words; the API's words are under Details.

const WORDS = {
  "no-face": "No face was found",
  "several-faces": "There are several faces",
  "face-too-small": "The face is too small to tell people apart",
  "face-quality": "The face is too blurred, too dark or turned too far",
  "not-comparable": "This face cannot be judged: too much of it is hidden, blurred or dark",
  "not-an-image": "This file is no picture that can be read here",
  "damaged-image": "This picture is damaged",
  "image-too-large": "This picture is too large",
  "enrollment-refused": "No photo was good enough",
  "person-not-found": "Nobody of that name is enrolled",
  "person-exists": "Somebody else has that name",
  "person-name": "That name cannot be used",
  "person-held": "This person may not be forgotten now",
  "gallery-missing": "That gallery is gone",
  "not-authenticated": "This server asks for a key",
  "not-allowed": "Your key may not do this",
  "liveness-required": "This server first wants to see that somebody is there",
  "rate-limited": "That was too often in a short time",
  overloaded: "The server is busy",
  "request-timeout": "That took too long",
  "request-too-large": "That is too much at once",
};

/** What to do, where the API's advice is for programs. */
const ADVICE = {
  "not-authenticated": "press the key at the top of the page, and paste one that is valid",
  "several-faces": "cut the photo to one face, or click the one that is meant where its faces are shown",
  "enrollment-refused": "take another photo: sharp, bright, of one face",
  "gallery-missing": "choose another one at the top of the page",
};

export function plainAdvice(error) { return ADVICE[error.type?.replace("urn:sameface:", "")] ?? error.advice; }

/** The heading of an error, and which photo it is about where there are two. */
export function plainWords(error) {
  const words = WORDS[error.type?.replace("urn:sameface:", "")] ?? error.title ?? "That did not work";
  const which = /\((the (?:first|second) photo)\)$/.exec(error.got ?? "")?.[1];
  return which ? `${words} (${which})` : words;
}
