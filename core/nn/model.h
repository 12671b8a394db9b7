/* The segmentation model: trunk, decoder, and where the clicks enter. Chosen by a config, built as a graph.
 *
 * Image input (N,3,H,W) normalised as in infer/image/preprocess.h; click input (N,P,H,W), P = 3 with the previous
 * mask, else 2; logits (N,1,H,W). A model of C classes labels the whole scene: it has no click input, and its logits
 * are (N,C,H,W). H and W are multiples of model_stride, 16 or 32.
 *
 * SqueezeNet: Iandola et al., arXiv 1602.07360; v1.1: github.com/forresti/SqueezeNet. SharpMask: Pinheiro et al.,
 * ECCV 2016. */
#ifndef CORE_NN_MODEL_H
#define CORE_NN_MODEL_H

#include "core/graph.h"
#include "core/nn/trunk.h"

enum decoder_kind {
	DECODER_TRANSPOSED,      /* 1x1 to one channel, then one transposed convolution to full size: no skips */
	DECODER_SHARPMASK,       /* refinement modules as published: 3x3 skip path, nearest x2; widths[0] is their k */
	DECODER_SHARPMASK_LIGHT, /* 1x1 then 3x3 skip path, bilinear x2 */
	/* FCN-8s, of VGG-16 alone: its classifier as convolutions at 1/32, scores of that, of pool4 and of pool3,
	 * summed on the way up through transposed convolutions (Long, Shelhamer & Darrell, CVPR 2015). */
	DECODER_FCN8S,
};

enum click_entry {
	CLICK_ENTRY_STEM,        /* a convolution of the click planes is added to the first convolution of the trunk */
	CLICK_ENTRY_STEM_COARSE, /* and the planes, max-pooled to 1/16, are seen by the coarsest decoder stage */
	/* Later, so that the trunk before it depends on the photo alone and a second tap need not compute it again:
	 * a small pyramid of strided convolutions (nn/click_pyramid.h) carries the planes down and is added to the
	 * trunk's map of one resolution, to each refinement module and, max-pooled as above, to the coarsest decoder
	 * stage. */
	CLICK_ENTRY_EIGHTH,    /* before the fire modules at 1/8 */
	CLICK_ENTRY_SIXTEENTH, /* before those at 1/16 */
	CLICK_ENTRY_COARSE,    /* behind the trunk */
};

enum { DECODER_STAGES = 4, MODEL_STRIDE = 16 };

struct model_config {
	enum trunk_kind trunk;
	enum decoder_kind decoder;
	double trunk_width;         /* VGG-16: its channels times this */
	int widths[DECODER_STAGES]; /* channels of the decoder from coarse (1/16) to fine (1/2) */
	int context_width;        /* channels of the two dilated convolutions on the coarsest map; 0 leaves them out */
	bool global_context;      /* add a global average of the coarsest map; needs context_width */
	enum trunk_freeze freeze; /* of the trunk's layers; does not change what is computed */
	enum click_entry click_entry;
	int click_planes; /* 2 or 3 */
	int classes;      /* 0: what is clicked; else classes of a scene, the background among them, and no clicks */
	/* the decoder sees trunk maps times this: ImageNet maps have an rms of 10 to 50 */
	double feature_scale;
	double dropout;   /* on the coarsest map; 0 leaves them out */
	bool batch_norm;  /* in the decoder */
	int activation;   /* of the decoder: index in activation_names (core/ops/ops.h); 0: relu */
	bool coarse_head; /* logits of the coarsest map too, for a loss of training; they are not deployed */
	bool quantize;    /* values have ranges, for training as in 8 bits (core/quantize.h) */
};

/* The default model (squeezenet1_1, sharpmask_light). */
void model_config_init(struct model_config *config);

/* Names as in the config file: "squeezenet1_1", "sharpmask_light", "stem"... NULL-terminated; index = enum value. */
extern const char *const trunk_names[];
extern const char *const decoder_names[];
extern const char *const click_entry_names[];
extern const char *const freeze_names[];

struct model {
	struct graph graph;
	int image;  /* input nodes */
	int clicks; /* -1: none */
	struct trunk_maps maps;
	int pyramid[4]; /* the click planes from 1/2 to 1/16, where they enter late; else -1 */
	int logits;     /* (N,1,H,W), or (N,classes,H,W); kept */
	int coarse;     /* with coarse_head: the coarsest map's logits, enlarged to (N,1,H,W); else -1 */
};

/* What the sides of its input must be multiples of. */
int model_stride(const struct model_config *config);
/* STATUS_CONFIG where trunk, decoder and the clicks' entry do not go together. model_build asks too. */
enum status model_check(const struct model_config *config);

/* Builds the forward graph for inputs of n x h x w on `params` (parameters are added on the first build and found
 * again on later ones). Not planned yet: the caller may add losses, then calls graph_plan(&model->graph, ...). On
 * failure nothing needs releasing. */
enum status model_build(struct model *model, struct params *params, const struct model_config *config, int n, int h,
			int w);
void model_release(struct model *model);

#endif
