// Vue asks to be told which of its features are used; its plug-in for Vite would do that.
export default {
  define: { __VUE_OPTIONS_API__: false, __VUE_PROD_DEVTOOLS__: false, __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: false },
};
