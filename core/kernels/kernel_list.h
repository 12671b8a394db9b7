/* Every kernel, one line each: KERNEL_FUNCTION(type, name, arguments) admits KERNEL(name) of this folder. Included by
 * core/kernels.h (the table's fields), kernel.h (prototypes) and table.c (the table). */
KERNEL_FUNCTION(int, gemm_panel, (void))
KERNEL_FUNCTION(void, gemm_pack, (const struct gemm_source *source, float *packed))
KERNEL_FUNCTION(void, gemm, (const struct gemm *g))
