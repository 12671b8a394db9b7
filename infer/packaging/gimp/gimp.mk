# The plug-in for GIMP 2.10 (infer/packaging/gimp/README.md). Part of the Makefile at the top.

# Never with a sanitizer, and only on request or where the headers are: GIMP is nothing that the build needs.
GIMP          = $(PLAIN)/gimp
GIMP_PACKAGE  = gimpui-2.0
have_gimp     = $(shell pkg-config --exists $(GIMP_PACKAGE) 2>/dev/null && echo yes)
gimp_objects  = $(patsubst infer/packaging/gimp/%.c,$(GIMP)/objects/%.o,$(wildcard infer/packaging/gimp/*.c))
# GTK's headers are not ours to warn about; the libraries that these name without our using them stay out.
GIMP_FLAGS    = $(CSTD) -O2 $(FPFLAGS) $(WARN) -DGIMP_DISABLE_DEPRECATED
gimp_includes = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(GIMP_PACKAGE)))
# GIMP 2.10 looks for plug-ins in GIMP2_DIRECTORY, or else here.
GIMP_PLUG_INS ?= $(or $(GIMP2_DIRECTORY),$(or $(XDG_CONFIG_HOME),$(HOME)/.config)/GIMP/2.10)/plug-ins
gimp_folder   = $(call quoted,$(DESTDIR)$(GIMP_PLUG_INS)/tapcut)

## make gimp               the plug-in for GIMP 2.10, build/gimp/tapcut: needs libgimp2.0-dev
gimp: $(GIMP)/tapcut/tapcut $(GIMP)/tapcut/base.tapcut

$(GIMP)/flags: FORCE
	@pkg-config --exists $(GIMP_PACKAGE) || { echo "make gimp needs pkg-config and the headers of GIMP 2.10:" \
		"apt-get install libgimp2.0-dev" >&2; exit 1; }
	@tools/record.sh $@ '$(CONFIG_COMPILER)' $(call quoted,$(CC) $(GIMP_FLAGS)) \
		"$$(pkg-config --modversion --cflags --libs $(GIMP_PACKAGE))"

$(GIMP)/objects/%.o: infer/packaging/gimp/%.c $(GIMP)/flags
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(GIMP_FLAGS) $(gimp_includes) $(compile)

$(GIMP)/tapcut/tapcut: $(gimp_objects) $(LIB)/libtapcut.a
	@mkdir -p $(@D)
	$(call quiet,LINK)$(CC) $(GIMP_FLAGS) -Wl,--as-needed -o $(new) $^ $$(pkg-config --libs $(GIMP_PACKAGE)) \
		-lz -lm -pthread $(done)

$(GIMP)/tapcut/base.tapcut: infer/models/base.tapcut
	@mkdir -p $(@D)
	$(call quiet,COPY)cp $< $(new) $(done)

## make install-gimp       puts it where GIMP looks for yours: GIMP_PLUG_INS=... for another folder
## make uninstall-gimp     takes it away again
# The program last: GIMP that starts meanwhile does not see one without its model.
install-gimp: gimp
	@mkdir -p $(gimp_folder)
	@for f in base.tapcut tapcut; do cp $(GIMP)/tapcut/$$f $(gimp_folder)/.$$f.new && \
		mv -f $(gimp_folder)/.$$f.new $(gimp_folder)/$$f || exit 1; done
	@echo "installed in" $(gimp_folder)
uninstall-gimp:
	@rm -f $(gimp_folder)/tapcut $(gimp_folder)/base.tapcut
	@rmdir $(gimp_folder) 2>/dev/null || true

$(BUILD)/tests/ports/test_gimp: $(call objects,infer/packaging/gimp/select.c)
$(BUILD)/tests/ports/test_gimp: | $(if $(have_gimp),gimp)

.PHONY: gimp install-gimp uninstall-gimp
