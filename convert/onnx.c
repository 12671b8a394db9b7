/* The file around the nodes: versions, what the network is and expects, its inputs and its output. Field numbers are
 * those of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3). */
#include "convert/onnx.h"

#include <stdio.h>
#include <stdlib.h>

#include "convert/onnx_nodes.h"
#include "convert/onnx_qdq.h"
#include "infer/tapcut.h"

enum { IR_VERSION = 8, OPSET = 13 };
enum { MODEL_IR = 1, MODEL_PRODUCER = 2, MODEL_DOC = 6, MODEL_GRAPH = 7, MODEL_OPSET = 8, MODEL_METADATA = 14 };
enum { OPSET_DOMAIN = 1, OPSET_VERSION = 2, ENTRY_KEY = 1, ENTRY_VALUE = 2 };
enum { GRAPH_NAME = 2, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum { INFO_NAME = 1, INFO_TYPE = 2, TYPE_TENSOR = 1, TENSOR_ELEMENT = 1, TENSOR_SHAPE = 2 };
enum { SHAPE_DIM = 1, DIM_VALUE = 1, DIM_PARAM = 2 };

static const char doc[] =
	"Selects the object that is tapped. image: planes of the photo, (byte - mean) * scale with tapcut.mean and "
	"tapcut.scale in the planes' order tapcut.channel_order; what lies outside of the photo is 0. clicks: planes "
	"tapcut.click_planes, all times tapcut.click_scale: positive and negative are 1 within tapcut.click_radius "
	"pixels of a tap, else 0 (encoding disk), or the distance to the nearest tap, at most tapcut.click_truncate, "
	"divided by it (encoding distance); previous_mask is the probability before this tap, 0 at first. Sides are "
	"multiples of 16. The probability of object is 1 / (1 + exp(-logits)).";

static const char doc_of_labels[] =
	"Says of what class each pixel is. image: planes of the photo, (byte - mean) * scale with tapcut.mean and "
	"tapcut.scale in the planes' order tapcut.channel_order; what lies outside of the photo is 0. Sides are "
	"multiples of 16. The class of a pixel is the channel of its largest logit; tapcut.classes names them, a line "
	"each.";

/* --- metadata ------------------------------------------------------------- */

static void put_entry(struct proto *model, const char *key, const char *value)
{
	size_t start = proto_open(model, MODEL_METADATA);
	proto_string(model, ENTRY_KEY, key);
	proto_string(model, ENTRY_VALUE, value);
	proto_close(model, start);
}

/* Numbers with as many digits as a float has. */
static void put_numbers(struct proto *model, const char *key, const float *numbers, int count)
{
	char text[128];
	size_t used = 0;
	for (int i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%.9g", i ? "," : "", (double)numbers[i]);
	put_entry(model, key, text);
}

/* A line each; a name may hold any other character. */
static void put_classes(struct proto *model, const struct infer_network *network)
{
	char text[INFER_MAX_CLASSES * sizeof *network->class_names];
	size_t used = 0;
	for (int i = 0; i < network->class_count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? "\n" : "",
					 network->class_names[i]);
	put_entry(model, "tapcut.classes", text);
}

static void put_metadata(struct proto *model, const struct infer_network *network)
{
	const struct infer_preprocess *p = &network->preprocess;
	float size = (float)network->default_size;
	put_entry(model, "tapcut.architecture", network->architecture);
	put_numbers(model, "tapcut.default_size", &size, 1);
	put_entry(model, "tapcut.channel_order", p->bgr ? "bgr" : "rgb");
	put_numbers(model, "tapcut.mean", p->mean, 3);
	put_numbers(model, "tapcut.scale", p->scale, 3);
	if (network->class_count) {
		put_classes(model, network);
		return;
	}
	put_entry(model, "tapcut.click_planes",
		  p->previous_mask ? "positive,negative,previous_mask" : "positive,negative");
	put_entry(model, "tapcut.click_encoding", p->encoding == INFER_CLICK_DISK ? "disk" : "distance");
	put_numbers(model, "tapcut.click_radius", &p->radius, 1);
	put_numbers(model, "tapcut.click_truncate", &p->truncate, 1);
	put_numbers(model, "tapcut.click_scale", &p->click_scale, 1);
}

/* --- graph ---------------------------------------------------------------- */

static void put_dim(struct proto *graph, int value, const char *symbol)
{
	size_t start = proto_open(graph, SHAPE_DIM);
	if (value)
		proto_int(graph, DIM_VALUE, value);
	else
		proto_string(graph, DIM_PARAM, symbol);
	proto_close(graph, start);
}

/* float (1,channels,H,W) */
static void put_info(struct proto *graph, int field, const char *name, int channels, const struct onnx_options *options)
{
	size_t info = proto_open(graph, field);
	proto_string(graph, INFO_NAME, name);
	size_t type = proto_open(graph, INFO_TYPE), tensor = proto_open(graph, TYPE_TENSOR);
	proto_int(graph, TENSOR_ELEMENT, ONNX_FLOAT);
	size_t shape = proto_open(graph, TENSOR_SHAPE);
	put_dim(graph, 1, NULL);
	put_dim(graph, channels, NULL);
	put_dim(graph, options->height, "height");
	put_dim(graph, options->width, "width");
	proto_close(graph, shape);
	proto_close(graph, tensor);
	proto_close(graph, type);
	proto_close(graph, info);
}

static enum status put_graph(struct proto *model, const struct infer_network *network,
			     const struct onnx_options *options)
{
	char name[ONNX_NAME_SIZE];
	size_t graph = proto_open(model, MODEL_GRAPH);
	proto_string(model, GRAPH_NAME, network->architecture);
	if (options->qdq && !network->class_count)
		onnx_qdq_value(model, network, INFER_FIRST_STEP_VALUE - 1);
	for (int i = 0; i < network->step_count; i++)
		TRY(onnx_put_step(model, network, i, options->qdq));
	const int channels[INFER_FIRST_STEP_VALUE] = {3, infer_click_planes(&network->preprocess)};
	int inputs = network->class_count ? 1 : INFER_FIRST_STEP_VALUE; /* without the clicks */
	for (int value = 0; value < inputs; value++) {
		onnx_value_name(network, value, name);
		put_info(model, GRAPH_INPUT, name, channels[value], options);
	}
	onnx_value_name(network, INFER_FIRST_STEP_VALUE + network->step_count - 1, name);
	put_info(model, GRAPH_OUTPUT, name, network->class_count ? network->class_count : 1, options);
	proto_close(model, graph);
	return STATUS_OK;
}

static enum status put_model(struct proto *model, const struct infer_network *network,
			     const struct onnx_options *options)
{
	proto_int(model, MODEL_IR, IR_VERSION);
	size_t opset = proto_open(model, MODEL_OPSET);
	proto_string(model, OPSET_DOMAIN, ""); /* ONNX's own operators */
	proto_int(model, OPSET_VERSION, OPSET);
	proto_close(model, opset);
	proto_string(model, MODEL_PRODUCER, "tapcut");
	proto_string(model, MODEL_DOC, network->class_count ? doc_of_labels : doc);
	put_metadata(model, network);
	return put_graph(model, network, options);
}

enum status onnx_write(const struct infer_network *network, const struct onnx_options *options, unsigned char **data,
		       size_t *size)
{
	char message[TAPCUT_MESSAGE_SIZE];
	struct infer_shape shapes[INFER_MAX_STEPS];
	if (infer_network_check(network, message) != TAPCUT_OK)
		return status_fail(STATUS_FORMAT, "the network cannot be exported: %s", message);
	if (options->height &&
	    infer_network_shapes(network, options->height, options->width, shapes, message) != TAPCUT_OK)
		return status_fail(STATUS_CONFIG, "%s", message);
	if (options->qdq)
		TRY(onnx_qdq_prepare(network));
	struct proto model = {0};
	enum status status = put_model(&model, network, options);
	if (status == STATUS_OK && model.failed)
		status = status_fail(STATUS_NO_MEMORY, "no memory for an ONNX file of %zu bytes", model.size);
	if (status != STATUS_OK) {
		free(model.data);
		return status;
	}
	*data = model.data;
	*size = model.size;
	return STATUS_OK;
}
