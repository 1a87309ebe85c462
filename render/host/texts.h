/*
 * What runs on hosts: the files *.sh and *.awk of this folder. The build takes
 * out their comments and indentation (texts.c, made by the Makefile), nothing
 * else; NAME.sh is name_sh here. What a text is told stands at its head, in
 * variables with capital letters.
 */
#ifndef WGMESH_RENDER_HOST_TEXTS_H
#define WGMESH_RENDER_HOST_TEXTS_H

/* of all of them */
extern const char section_sh[];
/* of the probe and of scripts that change a host */
extern const char lock_sh[];

/* the probe: probe.c */
extern const char probe_sh[], probe_awk[], forward_awk[], rise_sh[];

/* what an import reads: found.c */
extern const char found_sh[], found_awk[];

/*
 * a script that changes a host: script.c. Its frame, and functions of its
 * parts.
 */
extern const char begin_sh[], end_sh[];
extern const char write_file_sh[], boot_file_sh[], make_key_sh[];
extern const char install_sh[], bring_up_sh[], tear_down_sh[];
extern const char ip_batch_sh[];
extern const char forward_on_sh[], forward_off_sh[], accept_ra_sh[];

#endif
