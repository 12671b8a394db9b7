; What tests/ports/test_gimp.c runs inside GIMP. (select-all-ways FOLDER) selects on FOLDER/photo.png in every way there
; is and writes what is then selected as FOLDER/got-NAME.png; the calls at the end are about errors.

; A copy of the photo, which is read once: the image of the lowest number, and it stays.
(define (open folder)
  (let ((images (vector->list (cadr (gimp-image-list)))))
    (car (gimp-image-duplicate
      (if (null? images)
          (car (file-png-load RUN-NONINTERACTIVE (string-append folder "/photo.png") "photo.png"))
          (apply min images))))))

(define (active image)
  (car (gimp-image-get-active-drawable image)))

(define (write-png image drawable path)
  (file-png-save RUN-NONINTERACTIVE image drawable path path 0 1 0 0 0 0 0))

; The selection as the alpha channel of a white layer: alpha is linear, as a selection is, so that no number changes.
(define (write-selection image path)
  (let* ((copy (car (gimp-image-duplicate image)))
         (width (car (gimp-image-width copy)))
         (height (car (gimp-image-height copy))))
    (if (not (= (car (gimp-image-base-type copy)) RGB))
        (gimp-image-convert-rgb copy))
    (let ((layer (car (gimp-layer-new copy width height RGBA-IMAGE "got" 100 LAYER-MODE-NORMAL))))
      (gimp-image-insert-layer copy layer 0 -1)
      (gimp-drawable-fill layer FILL-WHITE)
      (gimp-layer-add-mask layer (car (gimp-layer-create-mask layer ADD-MASK-SELECTION)))
      (gimp-layer-remove-mask layer MASK-APPLY)
      (write-png copy layer path))
    (gimp-image-delete copy)))

(define (got image folder name)
  (write-selection image (string-append folder "/got-" name ".png")))

(define (tap image drawable taps operation feather)
  (plug-in-tapcut-select RUN-NONINTERACTIVE image drawable (vector-length taps) taps operation feather))

; A path, topmost and active, of one stroke; an anchor's handles lie elsewhere and must not count.
(define (add-path image name anchors closed)
  (let ((path (car (gimp-vectors-new image name))))
    (gimp-image-insert-vectors image path 0 -1)
    (gimp-vectors-stroke-new-from-points path VECTORS-STROKE-TYPE-BEZIER (vector-length anchors) anchors closed)
    (gimp-image-set-active-vectors image path)
    path))

(define (by-taps folder)
  (let ((image (open folder)))
    (tap image -1 #(160 120 1) CHANNEL-OP-REPLACE 0)
    (got image folder "visible")
    (tap image (active image) #(160.7 120.9 1 185 140 1 20.5 20.5 0) CHANNEL-OP-REPLACE 12)
    (got image folder "feather")
    (gimp-image-delete image)))

(define (by-paths folder)
  (let* ((image (open folder))
         (object (add-path image "dog" #(1 1 160 120 2 2  3 3 185 140 4 4) TRUE))
         (other (add-path image "cat" #(5 5 280 200 6 6) FALSE)))
    (add-path image "BackGround one" #(7 7 20 20 8 8) FALSE)
    (gimp-image-set-active-vectors image object)
    (tap image -1 #() CHANNEL-OP-REPLACE 0)
    (got image folder "path")
    (gimp-image-remove-vectors image other)
    (add-path image "- two" #(9 9 300 20 1 1) FALSE)
    (tap image -1 #() CHANNEL-OP-REPLACE 0)
    (got image folder "path-not-active")
    (gimp-image-delete image)))

; Into a selection that is there. The user's channel and what is worked on stay.
(define (into folder name operation)
  (let* ((image (open folder))
         (layer (active image)))
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 100 60 70 90)
    (gimp-context-set-feather TRUE)
    (tap image -1 #(160 120 1) operation 0)
    (if (car (gimp-context-get-feather))
        (gimp-context-set-feather FALSE))
    (got image folder name)
    (if (= (active image) layer)
        (if (= (car (gimp-image-get-channels image)) 0)
            (gimp-message (string-append "clean " name))))
    (gimp-image-delete image)))

; A layer that hangs over the image's left edge, and ends before its right one.
(define (moved folder)
  (let ((image (open folder)))
    (gimp-layer-set-offsets (active image) -40 30)
    (tap image (active image) #(120 150 1) CHANNEL-OP-REPLACE 0)
    (got image folder "moved")
    (gimp-image-delete image)))

; What a photo becomes by `convert` is written too, for libtapcut.
(define (converted folder name convert)
  (let ((image (open folder)))
    (convert image)
    (write-png image (active image) (string-append folder "/photo-" name ".png"))
    (tap image (active image) #(160 120 1) CHANNEL-OP-REPLACE 0)
    (got image folder name)
    (gimp-image-delete image)))

; The numbers of a linear image are others, but not its colours, and not its selection.
(define (linear folder)
  (let ((image (open folder)))
    (gimp-image-convert-precision image PRECISION-FLOAT-LINEAR)
    (tap image -1 #(160 120 1) CHANNEL-OP-REPLACE 0)
    (got image folder "linear")
    (gimp-image-delete image)))

(define (clear-corner image)
  (gimp-layer-add-alpha (active image))
  (gimp-image-select-ellipse image CHANNEL-OP-REPLACE 150 20 140 120)
  (gimp-selection-feather image 20)
  (gimp-drawable-edit-clear (active image))
  (gimp-selection-none image))

(define (select-all-ways folder)
  (by-taps folder)
  (by-paths folder)
  (into folder "add" CHANNEL-OP-ADD)
  (into folder "subtract" CHANNEL-OP-SUBTRACT)
  (into folder "intersect" CHANNEL-OP-INTERSECT)
  (moved folder)
  (linear folder)
  (converted folder "grey" gimp-image-convert-grayscale)
  (converted folder "indexed"
    (lambda (image) (gimp-image-convert-indexed image CONVERT-DITHER-NONE CONVERT-PALETTE-GENERATE 24 FALSE FALSE "")))
  (converted folder "deep" (lambda (image) (gimp-image-convert-precision image PRECISION-U16-GAMMA)))
  (converted folder "clear" clear-corner))

; By TAPCUT_MODEL, which is FOLDER/model.tapcut, and then without it.
(define (select-by-other-model folder)
  (let ((image (open folder)))
    (tap image -1 #(160 120 1) CHANNEL-OP-REPLACE 0)
    (got image folder "other-model")
    (file-delete (string-append folder "/model.tapcut"))
    (gimp-image-delete image)))

; An error ends a script, so each has a call of its own: with a selection that must still be there afterwards, which
; (still-selected FOLDER) writes.
(define (refuse folder taps operation feather)
  (let ((image (open folder)))
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 100 60 70 90)
    (tap image -1 taps operation feather)))

(define (refuse-paths folder)
  (let ((image (open folder)))
    (add-path image "-" #(7 7 20 20 8 8) FALSE)
    (tap image -1 #() CHANNEL-OP-REPLACE 0)))

(define (still-selected folder)
  (got (aref (cadr (gimp-image-list)) 0) folder "still"))
